#pragma once

#include <selfcd_chat_template.h>
