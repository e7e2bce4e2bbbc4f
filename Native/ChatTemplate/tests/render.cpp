// Renders templates for Scripts/template_golden.py: one JSON object a line in, one a line out.
//   in:  {"template": path, "inputs": {...}}   out: {"status": n, "message": "...", "text": "...", "segments": [[text, is_input]]}
#include "selfcd_chat_template.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

using json = nlohmann::ordered_json;

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto request = json::parse(line);
        std::ifstream file(request.at("template").get<std::string>(), std::ios::binary);
        std::stringstream source;
        source << file.rdbuf();
        const std::string text = source.str(), inputs = request.at("inputs").dump();
        selfcd_status status;
        char * message = nullptr;
        size_t length = 0;
        auto * parsed = selfcd_template_parse(text.data(), text.size(), nullptr, &status, &message, &length);
        json out;
        if (!parsed) {
            out = {{"status", int(status)}, {"message", std::string(message ? message : "", length)}};
        } else {
            auto * render = selfcd_template_render(parsed, inputs.data(), inputs.size(), nullptr);
            std::string all;
            json segments = json::array();
            for (size_t i = 0; i < selfcd_render_count(render); ++i) {
                const auto segment = selfcd_render_segment(render, i);
                all.append(segment.text, segment.length);
                segments.push_back({std::string(segment.text, segment.length), segment.is_input});
            }
            const auto caps = selfcd_template_caps(parsed);
            out = {{"status", int(selfcd_render_status(render))}, {"message", selfcd_render_message(render, nullptr)},
                   {"text", all}, {"segments", segments}, {"system_role", caps.system_role},
                   {"string_content", caps.string_content}, {"typed_content", caps.typed_content}};
            selfcd_render_free(render);
            selfcd_template_free(parsed);
        }
        selfcd_message_free(message);
        std::cout << out.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
    }
}
