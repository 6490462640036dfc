#include "Assets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char schemas[] = {
#embed "schemas.json"
};

const unsigned char *martlet_schemas(void) { return schemas; }
size_t martlet_schemas_size(void) { return sizeof schemas; }

static const unsigned char descriptions[] = {
#embed "descriptions.json"
};

const unsigned char *martlet_descriptions(void) { return descriptions; }
size_t martlet_descriptions_size(void) { return sizeof descriptions; }

static const unsigned char protobuf[] = {
#embed "protobuf.json"
};

const unsigned char *martlet_protobuf(void) { return protobuf; }
size_t martlet_protobuf_size(void) { return sizeof protobuf; }
