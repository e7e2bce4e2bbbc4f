import Foundation
import Testing

@testable import SelfCDLlama

@Suite struct FatalErrorTests {
  @Test func whatLibllamaSaidIsPrintedWithThePlace() {
    let text = LlamaRuntime.farewell(
      reason: "ggml-cuda.cu:109: CUDA error", said: ["CUDA error: an illegal memory access", "cudaStreamSynchronize"])
    #expect(
      text == """
        error: libllama gave up: ggml-cuda.cu:109: CUDA error.
          it said: CUDA error: an illegal memory access / cudaStreamSynchronize
          try: fewer lanes or layers on the GPU (--lanes, --gpu-layers); --gpu-layers 0 uses none.

        """)
    let other = LlamaRuntime.farewell(reason: "GGML_ASSERT(n > 0)", said: [])
    #expect(!other.contains("it said") && other.contains("damaged"))
  }

  @Test func cudaGraphsAreOffUnlessTheUserSaysSo() {
    _ = LlamaRuntime.start
    #expect(getenv("GGML_CUDA_DISABLE_GRAPHS") != nil)
  }
}
