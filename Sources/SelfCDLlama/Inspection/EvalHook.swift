import CLlama

/// Sees, and may change, named intermediate results while libllama computes a graph.
///
/// libllama names results `NAME-LAYER`, or `NAME` outside the layers. The hook is called on the thread that decodes,
/// between two nodes of the graph; nothing may be thrown through the C code that calls it.
protocol EvalHook: AnyObject {
  /// Whether the result is wanted; computing stops behind those that are.
  func wants(_ name: ResultName) -> Bool
  /// Called once a wanted result is there.
  func receive(_ name: ResultName, _ tensor: Tensor)
}

/// An intermediate result's name and layer.
struct ResultName: Hashable {
  let name: Substring
  let layer: Int?

  init(_ tensor: Tensor) {
    let full = String(cString: ggml_get_name(tensor))
    if let dash = full.lastIndex(of: "-"), let layer = Int(full[full.index(after: dash)...]) {
      name = full[..<dash]
      self.layer = layer
    } else {
      name = full[...]
      layer = nil
    }
  }
}

/// Carries a hook through libllama's callback. Has to live as long as the context.
final class EvalHookBox {
  private let hook: any EvalHook

  init(_ hook: any EvalHook) { self.hook = hook }

  func install(in parameters: inout llama_context_params) {
    parameters.cb_eval = { tensor, asks, data in
      guard let tensor, let data else { return !asks }
      let hook = Unmanaged<EvalHookBox>.fromOpaque(data).takeUnretainedValue().hook
      let name = ResultName(tensor)
      if asks { return hook.wants(name) }
      hook.receive(name, tensor)
      return true
    }
    parameters.cb_eval_user_data = Unmanaged.passUnretained(self).toOpaque()
  }
}

/// Copies of float32 results, wherever the backend keeps them.
enum TensorValues {
  /// All of a tensor's numbers in order; `nil` where it is not contiguous float32.
  static func copy(_ tensor: Tensor) -> [Float]? {
    guard tensor.pointee.type == GGML_TYPE_F32, ggml_is_contiguous(tensor) else { return nil }
    let count = Int(ggml_nelements(tensor))
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      ggml_backend_tensor_get(tensor, buffer.baseAddress, 0, count * 4)
      initialized = count
    }
  }
}
