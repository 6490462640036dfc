#pragma once
#include <stddef.h>

/// The schemas of the built-in kinds as JSON text, made by generate-kinds from Sources/Kinds/Schemas.
const unsigned char *_Nonnull martlet_schemas(void);
size_t martlet_schemas_size(void);
