import Kinds
import Model
import Testing

@Suite("Definitions of custom resources (I1, I2)")
struct CustomResourceDefinitionTests {
    private static let schema = ".spec.versions.0.schema.openAPIV3Schema"
    private static let place = "spec.versions[0].schema.openAPIV3Schema"

    /// The definition with another schema for `spec`.
    private static func spec(_ rule: String, _ text: String, _ messages: String...) -> Refusal {
        var row = Refusal(Manifests.definition, rule, "\(schema).properties.spec", text)
        row.change.messages = messages.map { "\(place).properties[spec]\($0)" }
        return row
    }

    static let names: [Refusal] = [
        Refusal(
            Manifests.definition, "I1", ".metadata.name", #""gadgets""#,
            #"metadata.name: Invalid value: "gadgets": must be spec.names.plural+"."+spec.group"#),
        Refusal(
            Manifests.definition.setting(".metadata.name", "gadgets.example"), "I1", ".spec.group", #""example""#,
            #"spec.group: Invalid value: "example": should be a domain with at least one dot"#),
        Refusal(
            Manifests.definition, "I1", ".spec.scope", #""World""#,
            #"spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced""#),
        Refusal(
            Manifests.definition, "I1", ".spec.names.listKind", #""Gadget""#,
            #"spec.names.listKind: Invalid value: "Gadget": kind and listKind may not be the same"#),
        Refusal(
            Manifests.definition, "I1", ".spec.names.kind", nil, "spec.names.kind: Required value",
            "spec.names.singular: Required value", "spec.names.listKind: Required value"),
        Refusal(
            Manifests.definition, "I1", ".spec.names.shortNames", #"["G"]"#,
            #"spec.names.shortNames[0]: Invalid value: "G": a DNS-1035 label must consist of lower case alphanumeric "#
                + "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
                + "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"),
        Refusal(
            Manifests.definition.setting(".metadata.name", "gadgets.x.k8s.io"), "I1", ".spec.group", #""x.k8s.io""#,
            "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval "
                + #"annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111"#),
        Refusal(
            Manifests.definition, "I1", ".spec.preserveUnknownFields", "true",
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
                + "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"),
        Refusal(
            Manifests.definition, "I1", ".spec.conversion", #"{"strategy": "Webhook"}"#,
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
            "spec.conversion.conversionReviewVersions: Required value"),
    ]

    static let versions: [Refusal] = [
        Refusal(
            Manifests.definition, "I1", schema, nil, "\(place): Required value: schemas are required"),
        Refusal(
            Manifests.definition, "I1", ".spec.versions.0.deprecationWarning", #""old""#,
            #"spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions"#),
        Refusal(
            Manifests.definition, "I1", ".spec.versions.0.subresources",
            #"{"scale": {"specReplicasPath": ".status.a", "statusReplicasPath": "b"}}"#,
            "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".status.a\": should be a json path "
                + "under .spec",
            "spec.versions[0].subresources.scale.statusReplicasPath: Invalid value: \"b\": must be a simple json path "
                + "starting with ."),
        Refusal(
            Manifests.definition, "I1", ".spec.versions.0.additionalPrinterColumns",
            #"[{"name": "Size", "type": "size", "jsonPath": "spec.size"}]"#,
            #"spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "size": must be one of "#
                + "boolean,date,integer,number,string",
            #"spec.versions[0].additionalPrinterColumns[0].JSONPath: Invalid value: "spec.size": must be a simple json "#
                + "path starting with ."),
        Refusal(
            Manifests.definition, "I1", ".spec.versions.0.selectableFields",
            #"[{"jsonPath": ".spec.size"}, {"jsonPath": ".spec.tags"}, {"jsonPath": ".spec.none"}]"#,
            #"spec.versions[0].selectableFields[1].jsonPath: Invalid value: ".spec.tags": must point to a field of type "#
                + "string, boolean or integer. Enum string fields and strings with formats are allowed.",
            #"spec.versions[0].selectableFields[2].jsonPath: Invalid value: ".spec.none": is an invalid path: does not "#
                + "refer to a valid field"),
    ]

    static let schemas: [Refusal] = [
        Refusal(
            Manifests.definition, "I2", schema, "{}", "\(place).type: Required value: must not be empty at the root"),
        Refusal(
            Manifests.definition, "I2", schema, #"{"type": "string"}"#,
            #"\#(place).type: Invalid value: "string": only "object" is allowed as the type at the root of the schema if "#
                + "the status subresource is enabled",
            #"\#(place).type: Invalid value: "string": must be object at the root"#),
        Refusal(
            Manifests.definition, "I2", "\(schema).properties.metadata",
            #"{"type": "object", "properties": {"labels": {"type": "object"}}}"#,
            "\(place).properties[metadata]: Forbidden: must not specify anything other than name and generateName, but "
                + "metadata is implicitly specified"),
        Refusal(
            Manifests.definition, "I2", "\(schema).properties.metadata",
            #"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}}}"#),
        spec("I2", #"{}"#, ".type: Required value: must not be empty for specified object fields"),
        spec("I2", #"{"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}"#),
        spec("I2", #"{"x-kubernetes-preserve-unknown-fields": true}"#),
        spec("I2", #"{"type": "array"}"#, ".items: Required value: must be specified"),
        spec(
            "I2", #"{"type": "object", "allOf": [{"type": "object", "nullable": true, "properties": {"a": {}}}]}"#,
            ".allOf[0].nullable: Forbidden: must be false to be structural",
            ".allOf[0].type: Forbidden: must be empty to be structural"),
        Refusal(
            Manifests.definition.setting(".spec.versions.0.subresources", nil), "I2", schema,
            #"{"type": "object", "anyOf": [{"properties": {"a": {"pattern": "("}}}]}"#,
            "\(place).anyOf[0].properties[a].pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: "
                + "error parsing regexp: missing closing ): `(`",
            "\(place).properties[a]: Required value: because it is defined in \(place).anyOf[0].properties[a]"),
        Refusal(
            Manifests.definition, "I2", schema, #"{"type": "object", "oneOf": [{"required": ["spec"]}]}"#,
            #"\#(place): Invalid value: {"type":"object","oneOf":[{"required":["spec"]}]}: only [Description Type Format "#
                + "Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
                + "UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
                + "XValidations] fields are allowed at the root of the schema if the status subresource is enabled"),
        spec(
            "I2",
            #"{"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}"#,
            ".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"),
        spec(
            "I2", #"{"type": "object", "x-kubernetes-embedded-resource": true}"#,
            ".properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without "
                + "x-kubernetes-preserve-unknown-fields"),
        spec("I1", #"{"type": "object", "$ref": "x"}"#, ".$ref: Forbidden: $ref is not supported"),
        spec(
            "I1", #"{"type": "text"}"#,
            #".type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "#
                + #""string""#),
        spec(
            "I1", #"{"type": "array", "uniqueItems": true, "items": {"type": "string"}}"#,
            ".uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"),
        spec(
            "I2", #"{"type": "object", "x-kubernetes-list-type": "bag"}"#,
            #".type: Invalid value: "object": must be array if x-kubernetes-list-type is specified"#,
            #".x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map""#),
        spec(
            "I2",
            #"{"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "#
                + #""items": {"type": "object", "properties": {"a": {"type": "string"}}}}"#,
            ".items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must "
                + "have a default or be a required property"),
        spec(
            "I2", #"{"type": "object", "x-kubernetes-validations": [{"rule": " "}]}"#,
            ".x-kubernetes-validations[0].rule: Required value: rule is not specified"),
        spec(
            "I4",
            #"{"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}, "#
                + #""x-kubernetes-validations": [{"rule": "true", "fieldPath": ".a['b.c']"}, "#
                + #"{"rule": "true", "fieldPath": ".b"}, {"rule": "true", "fieldPath": ".a.b.c", "message": " "}]}"#,
            #".x-kubernetes-validations[1].fieldPath: Invalid value: ".b": must be a valid path"#,
            #".x-kubernetes-validations[2].message: Invalid value: " ": must be non-empty if specified"#,
            #".x-kubernetes-validations[2].fieldPath: Invalid value: ".a.b.c": must be a valid path"#),
        spec(
            "I3", #"{"type": "object", "properties": {"size": {"type": "integer", "minimum": 3, "default": 1}}}"#,
            ".properties[size].default: Invalid value: 1:  in body should be greater than or equal to 3"),
        spec(
            "I3", #"{"type": "object", "default": {"b": 1}, "properties": {"a": {"type": "string"}}}"#,
            #".default: Invalid value: {"b":1}: must not have unknown fields"#),
        spec(
            "I3", #"{"type": "object", "properties": {"at": {"type": "string", "format": "date", "default": "soon"}}}"#,
            #".properties[at].default: Invalid value: "soon":  in body must be of type date: "soon""#),
        spec(
            "I3",
            #"{"type": "object", "default": {"low": 3, "high": 2}, "properties": {"low": {"type": "integer"}, "#
                + #""high": {"type": "integer"}}, "#
                + #""x-kubernetes-validations": [{"rule": "self.low <= self.high", "message": "low is above high"}]}"#,
            #".default: Invalid value: "object": low is above high"#),
        spec(
            "I4",
            #"{"type": "array", "items": {"type": "integer", "default": -1, "#
                + #""x-kubernetes-validations": [{"rule": "self > 0"}, {"rule": "self == oldSelf"}]}, "maxItems": 3}"#,
            ".items.default: Invalid value: \"integer\": failed rule: self > 0",
            ".items.x-kubernetes-validations[1].rule: Invalid value: \"self == oldSelf\": oldSelf cannot be used on the "
                + "uncorrelatable portion of the schema within \(place).properties[spec]"),
        spec(
            "I2",
            #"{"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true, "#
                + #""default": {"kind": "Web"}}"#,
            ".default.apiVersion: Required value: must not be empty"),
        spec(
            "I2",
            #"{"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"metadata": {"type": "object", "#
                + #""properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}, "#
                + #""default": {"a b": "c"}}}}}}"#,
            #".properties[metadata].properties[labels].default: Invalid value: {"a b":"c"}: must result in valid "#
                + #"metadata: metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, "#
                + "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
                + "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"),
    ]

    @Test("I3, I4: a default that keeps its schema's rules is taken, also in rules about changes")
    func goodDefaults() throws {
        let schema: JSON = [
            "type": "object", "default": ["low": 1, "high": 2],
            "properties": ["low": ["type": "integer", "minimum": 1], "high": ["type": "integer"]],
            "x-kubernetes-validations": [["rule": "self.low <= self.high && self == oldSelf"]],
        ]
        #expect(try Manifests.definition.setting("\(Self.schema).properties.spec", schema).createErrors == [])
    }

    @Test("creation", arguments: names + versions + schemas)
    func create(row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
    }

    @Test(
        "patterns are Go's",
        arguments: [
            ("^[a-z]([-a-z0-9]*[a-z0-9])?$", nil), (#"^\pL+(?P<name>x)(?i:y)[[:alpha:]\]]{1,3}?\Q(*\E[]a]$"#, nil),
            ("", nil),
            ("a)", "unexpected ): `a)`"), ("x[a-", "missing closing ]: `[a-`"),
            (
                "*a",
                "missing argument to repetition "
                    + "operator: `*`"
            ), ("a**", "invalid nested repetition operator: `**`"),
            ("(?!a)b", "invalid or unsupported Perl syntax: `(?!`"), (#"(a)\1"#, #"invalid escape sequence: `\1`"#),
            (#"a\"#, "trailing backslash at end of expression: ``"),
        ] as [(String, String?)])
    func patterns(pattern: String, fault: String?) throws {
        let schema: JSON = ["type": "string", "pattern": .string(pattern)]
        let object = Manifests.definition.setting("\(Self.schema).properties.spec", schema)
        let rule = "must be a valid regular expression, but isn't: error parsing regexp: "
        let message = "\(Self.place).properties[spec].pattern: Invalid value: \(JSON.string(pattern).text()): \(rule)"
        #expect(try object.createErrors == (fault.map { [message + $0] } ?? []))
    }

    @Test("I1: exactly one version is stored, and their names differ")
    func storedVersions() throws {
        let second = try #require(Manifests.definition.value(at: ".spec.versions.0"))
        let errors = try Manifests.definition.setting(".spec.versions.1", second).createErrors
        #expect(errors.count == 2)
        #expect(errors[0].hasSuffix(": must contain unique version names"), "\(errors)")
        #expect(errors[1].hasSuffix(": must have exactly one version marked as storage version"), "\(errors)")
    }

    @Test("the storage version is recorded, and kept when another takes its place")
    func recordsStorage() throws {
        let strategy = try Manifests.definition.strategy
        let created = strategy.prepareForCreate(strategy.defaulted(Manifests.definition))
        #expect(created.value(at: ".status.storedVersions") == ["v1"])
        let second = try #require(created.value(at: ".spec.versions.0")).setting(".name", "v2")
        let changed = created.setting(".spec.versions.0.storage", false).setting(".spec.versions.1", second)
        let updated = strategy.prepareForUpdate(changed, from: created, subresource: nil)
        #expect(updated.value(at: ".status.storedVersions") == ["v1", "v2"])
        #expect(updated.value(at: ".metadata.generation") == 2)
        let removed = updated.setting(".spec.versions", [second]).setting(".metadata.resourceVersion", "1")
        #expect(
            strategy.validateUpdate(removed, from: updated).map(\.message) == [
                "status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions; v1 was previously a storage "
                    + "version, and must remain in spec.versions until a storage migration ensures no data remains "
                    + "persisted in v1 and removes v1 from status.storedVersions"
            ])
    }

    @Test("I1: group and plural stay; scope and kind stay once the definition is established")
    func immutable() throws {
        let kind = Manifests.definition.setting(".spec.names.kind", "Widget")
        #expect(try Manifests.definition.updateErrors(to: kind) == [])
        let strategy = try Manifests.definition.strategy
        let conditions: JSON = [["type": "Established", "status": "True"]]
        let old = strategy.prepareForCreate(strategy.defaulted(Manifests.definition))
            .setting(".status.conditions", conditions)
        let new = old.setting(".spec.names.kind", "Widget").setting(".spec.scope", "Cluster")
            .setting(".metadata.resourceVersion", "1")
        #expect(
            strategy.validateUpdate(new, from: old).map(\.message) == [
                #"spec.scope: Invalid value: "Cluster": field is immutable"#,
                #"spec.names.kind: Invalid value: "Widget": field is immutable"#,
            ])
        let plural = Manifests.definition.setting(".spec.names.plural", "widgets")
        #expect(
            try Manifests.definition.updateErrors(to: plural) == [
                #"spec.names.plural: Invalid value: "widgets": field is immutable"#
            ])
    }
}
