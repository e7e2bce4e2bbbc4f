#pragma once

#include <selfcd_chat_template.h>
#include <selfcd_schema.h>
