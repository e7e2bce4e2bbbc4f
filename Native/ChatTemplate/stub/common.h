// Stands in for llama.cpp's common.h when its schema converter is compiled, which needs three functions of it.
#pragma once

#include <string>
#include <vector>

static inline std::string string_repeat(const std::string & text, size_t count) {
    std::string result;
    result.reserve(text.size() * count);
    while (count-- > 0) { result += text; }
    return result;
}

static inline std::string string_join(const std::vector<std::string> & values, const std::string & separator) {
    std::string result;
    for (size_t i = 0; i < values.size(); ++i) {
        if (i > 0) { result += separator; }
        result += values[i];
    }
    return result;
}

static inline std::vector<std::string> string_split(const std::string & text, const std::string & delimiter) {
    std::vector<std::string> parts;
    size_t start = 0;
    for (size_t end; (end = text.find(delimiter, start)) != std::string::npos; start = end + delimiter.size()) {
        parts.push_back(text.substr(start, end - start));
    }
    parts.push_back(text.substr(start));
    return parts;
}
