import Model

extension Target {
    typealias Step = (inout [Resource]) throws(KustomizeError) -> Void

    /// What the kustomization does to its resources, in Kustomize's order, by the name of the transformer.
    func steps(_ configuration: Configuration) throws(KustomizeError) -> [(kind: String, step: Step)] {
        var steps: [(kind: String, step: Step)] = []
        func add(_ kind: String, _ transformer: some Transformer) {
            steps.append((kind, { (resources) throws(KustomizeError) in try transformer.apply(to: &resources) }))
        }
        let patches = PatchTransformer(loader: loader, place: place, schema: schemas.schema)
        try addPatches(patches, to: &steps)
        if !kustomization.namespace.isEmpty {
            add(
                "NamespaceTransformer",
                NamespaceTransformer(namespace: kustomization.namespace, specs: configuration.namespace))
        }
        if !kustomization.namePrefix.isEmpty {
            add(
                "PrefixTransformer",
                NameTransformer(side: .prefix, text: kustomization.namePrefix, specs: configuration.namePrefix))
        }
        if !kustomization.nameSuffix.isEmpty {
            add(
                "SuffixTransformer",
                NameTransformer(side: .suffix, text: kustomization.nameSuffix, specs: configuration.nameSuffix))
        }
        for label in kustomization.labels {
            add("LabelTransformer", MapEntryTransformer(label.pairs, try specs(of: label, configuration)))
        }
        if !kustomization.labels.isEmpty || !kustomization.commonLabels.isEmpty {
            add("LabelTransformer", MapEntryTransformer(kustomization.commonLabels, configuration.commonLabels))
        }
        if !kustomization.commonAnnotations.isEmpty {
            add(
                "AnnotationsTransformer",
                MapEntryTransformer(kustomization.commonAnnotations, configuration.commonAnnotations))
        }
        for entry in kustomization.patchesJSON6902 {
            steps.append(
                (
                    "PatchJson6902Transformer",
                    { (resources) throws(KustomizeError) in try patches.apply(json: entry, to: &resources) }
                ))
        }
        for entry in kustomization.replicas {
            add("ReplicaCountTransformer", ReplicaTransformer(entry: entry, specs: configuration.replicas))
        }
        for entry in kustomization.images {
            add("ImageTagTransformer", ImageTransformer(entry: entry, specs: configuration.images))
        }
        if !kustomization.replacements.isEmpty {
            let entries = try Plugin.replacements(kustomization.replacements, strict: true, loader, place)
            add("ReplacementTransformer", ReplacementTransformer(entries: entries))
        }
        return steps
    }

    private func addPatches(
        _ patches: PatchTransformer, to steps: inout [(kind: String, step: Step)]
    ) throws(KustomizeError) {
        if !kustomization.patchesStrategicMerge.isEmpty {
            var all: [Resource] = []
            for reference in kustomization.patchesStrategicMerge { all += try patches.strategicPatches(reference) }
            guard !all.isEmpty else { throw kustomization.root.error("patchesStrategicMerge: the patches are empty") }
            steps.append(
                (
                    "PatchStrategicMergeTransformer",
                    { [all] (resources) throws(KustomizeError) in try patches.apply(strategic: all, to: &resources) }
                ))
        }
        for entry in kustomization.patches {
            steps.append(
                (
                    "PatchTransformer",
                    { (resources) throws(KustomizeError) in try patches.apply(entry, to: &resources) }
                ))
        }
    }

    /// The fields of one entry of `labels`: its own, and those for what it includes.
    private func specs(of label: LabelEntry, _ configuration: Configuration) throws(KustomizeError) -> FieldSpecs {
        var specs = FieldSpecs(label.fields)
        do {
            try specs.merge(configuration.labels)
            if label.includesSelectors {
                try specs.merge(configuration.commonLabels)
            } else {
                if label.includesTemplates { try specs.merge(configuration.templateLabels) }
                try specs.merge(FieldSpec(path: "metadata/labels", creates: true))
            }
        } catch {
            throw label.field.error(error.message)
        }
        return specs
    }
}
