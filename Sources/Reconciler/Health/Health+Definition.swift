import Kinds
import Model

extension Health {
    /// A definition is healthy when its kind is served.
    static func of(_ definition: CustomResourceDefinition) -> Health {
        if definition.isTrue("Terminating") { return Health(.progressing, "its objects are being deleted") }
        for type in ["NonStructuralSchema", "NamesAccepted"] {
            guard let condition = definition.condition(type) else { continue }
            let isBad = (type == "NamesAccepted") == (condition["status"] == "False")
            if isBad { return Health(.degraded, condition["message"]?.string ?? type) }
        }
        if let condition = definition.condition("Established"), condition["reason"] == "ConversionNotSupported" {
            return Health(.degraded, condition["message"]?.string ?? "")
        }
        guard definition.isTrue("Established") else { return Health(.progressing, "waiting to be established") }
        return Health(.healthy)
    }
}
