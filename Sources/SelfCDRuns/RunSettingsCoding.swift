import SelfCD

// Runs that were imported have no options of generation and no model: nothing is written that nobody knows.
extension RunSettings {
  private enum CodingKeys: String, CodingKey {
    case options, system, repetitions, judges, reference, group, modelPath, adapters, calibration, imported
  }

  /// Reads settings; those of an imported run have no options and no model.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    imported = try container.decodeIfPresent(Imported.self, forKey: .imported)
    let isImported = imported != nil
    options =
      try isImported ? GenerationOptions() : container.decode(GenerationOptions.self, forKey: .options)
    system = try container.decodeIfPresent(String.self, forKey: .system)
    repetitions = try container.decode(Int.self, forKey: .repetitions)
    judges = try container.decode([String].self, forKey: .judges)
    reference = try container.decodeIfPresent(String.self, forKey: .reference)
    group = try container.decodeIfPresent(String.self, forKey: .group)
    modelPath = try isImported ? "" : container.decode(String.self, forKey: .modelPath)
    adapters = try container.decodeIfPresent([ModelAdapter].self, forKey: .adapters)
    calibration = try container.decodeIfPresent(Calibration.self, forKey: .calibration)
  }

  /// Writes what is known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if imported == nil {
      try container.encode(options, forKey: .options)
      try container.encode(modelPath, forKey: .modelPath)
    }
    try container.encodeIfPresent(system, forKey: .system)
    try container.encode(repetitions, forKey: .repetitions)
    try container.encode(judges, forKey: .judges)
    try container.encodeIfPresent(reference, forKey: .reference)
    try container.encodeIfPresent(group, forKey: .group)
    try container.encodeIfPresent(adapters, forKey: .adapters)
    try container.encodeIfPresent(calibration, forKey: .calibration)
    try container.encodeIfPresent(imported, forKey: .imported)
  }
}
