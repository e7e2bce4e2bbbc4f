/// The version of the product.
package enum SelfCDVersion {
  package static let current = "0.1.0"
}
