#pragma once
#include <stddef.h>

/// The schemas of the built-in kinds as JSON text, without their descriptions; made by generate-kinds from
/// Sources/Kinds/Schemas.
const unsigned char *_Nonnull martlet_schemas(void);
size_t martlet_schemas_size(void);

/// What the schemas say about themselves for people: {definition: {field: text}}. An empty field is the definition
/// itself; dots lead into fields of fields.
const unsigned char *_Nonnull martlet_descriptions(void);
size_t martlet_descriptions_size(void);

/// The fields of the messages that stand for the built-in kinds on the wire, as Kubernetes' generated.proto numbers them:
/// {message: {field: [number, type, label]}}. Labels: repeated; map (from strings); inline (its members stand in its
/// place in JSON); keep (a zero means something); nonzero (a zero means nothing).
const unsigned char *_Nonnull martlet_protobuf(void);
size_t martlet_protobuf_size(void);
