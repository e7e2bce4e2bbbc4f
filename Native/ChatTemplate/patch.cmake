# Copies llama.cpp's common/jinja and applies our changes: limits, and input marks that survive every operation.
# The source is pinned by its hash, so an anchor that is not found once exactly is a mistake here, and fatal.
#
#   cmake -DSOURCE=.../llama.cpp -DTARGET=... -P patch.cmake

foreach(name caps.cpp caps.h lexer.cpp lexer.h parser.cpp parser.h runtime.cpp runtime.h string.cpp string.h
             utils.h value.cpp value.h)
  configure_file("${SOURCE}/common/jinja/${name}" "${TARGET}/jinja/${name}" COPYONLY)
endforeach()
foreach(name json.cpp json.h unicode.cpp unicode.h json-schema.cpp json-schema.h json-schema-to-grammar.cpp
             json-schema-to-grammar.h trie.cpp trie.h)
  configure_file("${SOURCE}/common/${name}" "${TARGET}/${name}" COPYONLY)
endforeach()

macro(open name)
  set(file "${TARGET}/jinja/${name}")
  # Semicolons and brackets mean something in CMake lists, so the text is only ever handled in quotes.
  file(READ "${file}" text)
endmacro()
macro(close)
  file(WRITE "${file}" "${text}")
endmacro()
function(change anchor replacement)
  string(FIND "${text}" "${anchor}" first)
  string(FIND "${text}" "${anchor}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "patch.cmake: not found exactly once in ${file}:\n${anchor}")
  endif()
  string(REPLACE "${anchor}" "${replacement}" text "${text}")
  set(text "${text}" PARENT_SCOPE)
endfunction()
# Replaces from the start of one anchor up to (not including) the next place where the other stands.
function(change_block from until replacement)
  string(FIND "${text}" "${from}" first)
  string(FIND "${text}" "${from}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "patch.cmake: not found exactly once in ${file}:\n${from}")
  endif()
  string(SUBSTRING "${text}" 0 ${first} before)
  string(SUBSTRING "${text}" ${first} -1 rest)
  string(FIND "${rest}" "${until}" end)
  if(end EQUAL -1)
    message(FATAL_ERROR "patch.cmake: no end of block in ${file}:\n${until}")
  endif()
  string(SUBSTRING "${rest}" ${end} -1 after)
  set(text "${before}${replacement}${after}" PARENT_SCOPE)
endfunction()

# --- json-schema-to-grammar.cpp ------------------------------------------------------------------------

# What cannot be enforced is an error: a caller who asks for a schema relies on it.
set(file "${TARGET}/json-schema-to-grammar.cpp")
file(READ "${file}" text)
change([==[            fprintf(stderr, "WARNING: JSON schema conversion was incomplete: %s\n", string_join(_warnings, "; ").c_str());]==]
       [==[            throw std::invalid_argument("JSON schema conversion failed:\n" + string_join(_warnings, "\n"));]==])
change([==[ is not supported (" + err.what() + "), accepting any string");]==]
       [==[ is not supported (" + err.what() + ")");]==])
close()

# --- string.h, string.cpp -----------------------------------------------------------------------------

open(string.h)
change([==[    bool all_parts_are_input() const;]==] [==[    bool all_parts_are_input() const;
    bool any_part_is_input() const;
    // the mark of every byte: '\1' is input
    std::string marks() const;
    // from bytes and their marks
    static string marked(const std::string & text, const std::string & marks, size_t from = 0, size_t count = std::string::npos);]==])
change([==[#include "utils.h"]==] [==[#include "limiter.h"
#include "utils.h"]==])
close()

open(string.cpp)
change([==[std::string string::str() const {
]==] [==[bool string::any_part_is_input() const {
    for (const auto & part : parts) {
        if (part.is_input && !part.val.empty()) {
            return true;
        }
    }
    return false;
}

std::string string::marks() const {
    std::string out;
    for (const auto & part : parts) {
        out.append(part.val.size(), part.is_input ? '\1' : '\0');
    }
    return out;
}

string string::marked(const std::string & text, const std::string & marks, size_t from, size_t count) {
    const size_t end = count > text.size() - from ? text.size() : from + count;
    string out;
    while (from < end) {
        size_t next = from + 1;
        while (next < end && marks[next] == marks[from]) {
            ++next;
        }
        out.parts.push_back({marks[from] != '\0', text.substr(from, next - from)});
        from = next;
    }
    if (out.parts.empty()) {
        out.parts.push_back({false, ""});
    }
    return out;
}

std::string string::str() const {
    selfcd::work(length() / 64 + parts.size() + 1);
]==])
change([==[    for (const auto & part : other.parts) {
        parts.push_back(part);
    }]==] [==[    selfcd::charge(other.length() + other.parts.size() * sizeof(string_part));
    if (&other == this) {
        return append(string(other));
    }
    for (const auto & part : other.parts) {
        if (!parts.empty() && (part.val.empty() || parts.back().is_input == part.is_input)) {
            parts.back().val += part.val;
        } else {
            parts.push_back(part);
        }
    }]==])
# The original erases parts one by one from the front, which is quadratic.
change_block([==[    if (left) {
        for (size_t i = 0; i < parts.size(); ++i) {]==] [==[    if (right) {
        for]==] [==[    if (left) {
        size_t i = 0;
        for (; i < parts.size(); ++i) {
            parts[i].val = strip_part(parts[i].val, true, false, chars);
            if (!parts[i].val.empty()) {
                break;
            }
        }
        parts.erase(parts.begin(), parts.begin() + i);
    }
]==])
close()

# --- value.h ------------------------------------------------------------------------------------------

open(value.h)
change([==[struct value_t {
    int64_t val_int;
    double val_flt;]==] [==[struct value_t : selfcd::tracked {
    int64_t val_int = 0;
    double val_flt = 0;]==])
change([==[    virtual ~value_t() = default;]==] [==[    virtual ~value_t();

    // whether text of a message or an argument is in it
    bool has_input() const;
    // gives away all that it refers to, to break cycles
    virtual void strip_references(std::vector<value> & values, std::vector<func_handler> & funcs);]==])
change([==[    virtual bool operator==(const value_t & other) const { return equivalent(other); }
    virtual bool operator!=(const value_t & other) const { return nonequal(other); }]==]
  [==[    virtual bool operator==(const value_t & other) const { selfcd::depth_guard guard; return equivalent(other); }
    virtual bool operator!=(const value_t & other) const { selfcd::depth_guard guard; return nonequal(other); }]==])
change([==[    value_string_t(const std::string & v) { val_str = string(v); }
    value_string_t(const string & v) { val_str = v; }]==]
  [==[    value_string_t(const std::string & v) { selfcd::charge(v.size()); val_str = string(v); }
    value_string_t(const string & v) { selfcd::charge(v.length()); val_str = v; }]==])
change([==[        val_arr.push_back(val);
    }
    void push_back(value && val) {]==] [==[        selfcd::charge(sizeof(value));
        val_arr.push_back(val);
    }
    void push_back(value && val) {]==])
change([==[        val_arr.push_back(std::move(val));]==] [==[        selfcd::charge(sizeof(value));
        val_arr.push_back(std::move(val));]==])
change([==[        ss << (immutable ? ")" : "]");
        return ss.str();]==] [==[        ss << (immutable ? ")" : "]");
        return string(ss.str(), has_input());]==])
change([==[        ss << "}";
        return ss.str();]==] [==[        ss << "}";
        return string(ss.str(), has_input());]==])
change([==[        if (std::all_of(val_arr.begin()]==] [==[        selfcd::depth_guard guard;
        if (std::all_of(val_arr.begin()]==])
change([==[        if (std::all_of(val_obj.begin()]==] [==[        selfcd::depth_guard guard;
        if (std::all_of(val_obj.begin()]==])
change([==[    bool has_builtins = true; // context and loop objects do not have builtins]==]
  [==[    bool has_builtins = true; // context and loop objects do not have builtins
    selfcd::cells cells;
    void strip_references(std::vector<value> & values, std::vector<func_handler> & funcs) override {
        for (auto & pair : unordered) {
            values.push_back(pair.first);
            values.push_back(pair.second);
        }
        unordered.clear();
        value_t::strip_references(values, funcs);
    }]==])
change([==[        for (const auto & pair : val_obj) {
            unordered[pair.first] = pair.second;]==] [==[        for (const auto & pair : val_obj) {
            cells.add();
            unordered[pair.first] = pair.second;]==])
change([==[        unordered[key] = val;
        if (!replaced) {]==] [==[        if (!replaced) {
            cells.add();
        }
        unordered[key] = val;
        if (!replaced) {]==])
change([==[    virtual std::string type() const override { return "Function"; }]==]
  [==[    void strip_references(std::vector<value> & values, std::vector<func_handler> & funcs) override {
        if (arg0) {
            values.push_back(std::move(arg0));
        }
        value_t::strip_references(values, funcs);
    }
    virtual std::string type() const override { return "Function"; }]==])
close()

# --- value.cpp ----------------------------------------------------------------------------------------

open(value.cpp)
change([==[// func_args method implementations
]==] [==[bool value_t::has_input() const {
    selfcd::depth_guard guard;
    if (val_str.any_part_is_input()) {
        return true;
    }
    for (const auto & item : val_arr) {
        if (item->has_input()) {
            return true;
        }
    }
    for (const auto & pair : val_obj) {
        if (pair.first->has_input() || pair.second->has_input()) {
            return true;
        }
    }
    return false;
}

void value_t::strip_references(std::vector<value> & values, std::vector<func_handler> & funcs) {
    for (auto & item : val_arr) {
        values.push_back(std::move(item));
    }
    val_arr.clear();
    for (auto & pair : val_obj) {
        values.push_back(std::move(pair.first));
        values.push_back(std::move(pair.second));
    }
    val_obj.clear();
    if (val_func) {
        funcs.push_back(std::move(val_func));
        val_func = nullptr;
    }
}

// A list in a list in a list ... would be freed by recursion as deep as it is. Here the outermost one frees
// what all of them held, one by one.
static thread_local std::vector<value> * doomed = nullptr;

value_t::~value_t() {
    if (val_arr.empty() && val_obj.empty()) {
        return;
    }
    std::vector<value> list;
    const bool outermost = doomed == nullptr;
    if (outermost) {
        doomed = &list;
    }
    for (auto & item : val_arr) {
        doomed->push_back(std::move(item));
    }
    for (auto & pair : val_obj) {
        doomed->push_back(std::move(pair.first));
        doomed->push_back(std::move(pair.second));
    }
    if (outermost) {
        while (!list.empty()) {
            value last = std::move(list.back());
            list.pop_back();
        }
        doomed = nullptr;
    }
}

// func_args method implementations
]==])
change([==[    int64_t len = static_cast<int64_t>(array.size());
]==] [==[    int64_t len = static_cast<int64_t>(array.size());
    step = std::max(-len - 1, std::min(step, len + 1)); // further apart is the same, and would overflow
    selfcd::charge(array.size());
]==])
change([==[        indent = static_cast<int>(val_indent->as_int());]==] [==[        if (val_indent->as_int() > 64) {
            throw std::runtime_error("tojson: indent is too large");
        }
        indent = static_cast<int>(std::max<int64_t>(val_indent->as_int(), -1));]==])
change([==[    return mk_val<value_string>(json_str);
}]==] [==[    return mk_val<value_string>(string(json_str, args.get_pos(0)->has_input()));
}]==])
change([==[            std::string msg = args.get_pos(0)->as_string().str();
]==] [==[            std::string msg = args.get_pos(0)->as_string().str();
            selfcd::note_raised(msg);
]==])
change([==[            if (std::strftime(buf, sizeof(buf), format.c_str(), std::localtime(&args.ctx.current_time))) {
                return mk_val<value_string>(std::string(buf));]==] [==[            std::tm local = {};
            if (localtime_r(&args.ctx.current_time, &local) && std::strftime(buf, sizeof(buf), format.c_str(), &local)) {
                return mk_val<value_string>(string(std::string(buf), args.get_pos(0)->has_input()));]==])
change([==[            if (step > 0) {
                for (int64_t i = start; i < stop; i += step) {
                    out->push_back(mk_val<value_int>(i));
                }
            } else {
                for (int64_t i = start; i > stop; i += step) {
                    out->push_back(mk_val<value_int>(i));
                }
            }]==] [==[            const uint64_t total = selfcd::range_count(start, stop, step);
            for (uint64_t n = 0; n < total; ++n) {
                selfcd::check_alive();
                out->push_back(mk_val<value_int>(static_cast<int64_t>(static_cast<uint64_t>(start) + n * static_cast<uint64_t>(step))));
            }]==])
change([==[            bool res = args.get_pos(0)->val_int % args.get_pos(1)->val_int == 0;]==]
  [==[            const int64_t divisor = args.get_pos(1)->val_int;
            if (divisor == 0) {
                throw raised_exception("divisibleby: division by zero");
            }
            bool res = divisor == -1 || args.get_pos(0)->val_int % divisor == 0;]==])

# Pieces of marked text keep their marks; the originals mark only the last piece, and only if all of the text
# is input. They are also quadratic.
change_block([==[            size_t pos = 0;
            std::string token;
            while ((pos = str.find(delim)) != std::string::npos && maxsplit != 0) {]==] [==[            return result;]==]
[==[            const std::string marks = val_input->as_string().marks();
            size_t from = 0, pos = 0;
            while (maxsplit != 0 && (pos = str.find(delim, from)) != std::string::npos) {
                result->push_back(mk_val<value_string>(jinja::string::marked(str, marks, from, pos - from)));
                from = pos + delim.length();
                --maxsplit;
            }
            result->push_back(mk_val<value_string>(jinja::string::marked(str, marks, from)));
]==])
change_block([==[            size_t pos = 0;
            std::string token;
            while ((pos = str.rfind(delim)) != std::string::npos && maxsplit != 0) {]==] [==[            result->reverse();]==]
[==[            const std::string marks = val_input->as_string().marks();
            size_t end = str.length(), pos = 0;
            while (maxsplit != 0 && end >= delim.length() &&
                    (pos = str.rfind(delim, end - delim.length())) != std::string::npos) {
                result->push_back(mk_val<value_string>(jinja::string::marked(str, marks, pos + delim.length(), end - pos - delim.length())));
                end = pos;
                --maxsplit;
            }
            result->push_back(mk_val<value_string>(jinja::string::marked(str, marks, 0, end)));
]==])
change_block([==[            if (old_str != new_str) {
                size_t pos = 0;]==] [==[            return res;]==]
[==[            const std::string marks = args.get_pos(0)->as_string().marks();
            const std::string new_marks = args.get_pos(2)->as_string().marks();
            std::string out, out_marks;
            auto put_new = [&]() {
                selfcd::charge(2 * new_str.size());
                out += new_str;
                out_marks += new_marks;
            };
            size_t from = 0;
            if (old_str.empty()) {
                for (; from < str.size(); ++from) {
                    put_new();
                    out += str[from];
                    out_marks += marks[from];
                }
                put_new();
            } else {
                size_t pos = 0;
                while ((pos = str.find(old_str, from)) != std::string::npos) {
                    out.append(str, from, pos - from);
                    out_marks.append(marks, from, pos - from);
                    put_new();
                    from = pos + old_str.size();
                }
                out.append(str, from, std::string::npos);
                out_marks.append(marks, from, std::string::npos);
            }
            auto res = mk_val<value_string>(jinja::string::marked(out, out_marks));
]==])
change([==[                const jinja::string arg_str = args.get_pos(arg_idx++)->as_string();]==]
  [==[                const jinja::string arg_str = args.get_pos(arg_idx++)->as_string();
                selfcd::charge(arg_str.length());]==])
change_block([==[            auto sliced = slice(input->as_string().str(), start, stop, step);]==] [==[            return res;]==]
[==[            const jinja::string whole = input->as_string();
            auto res = mk_val<value_string>(jinja::string::marked(
                slice(whole.str(), start, stop, step), slice(whole.marks(), start, stop, step)));
]==])
change([==[                indent.assign(val_width->as_int(), ' ');]==] [==[                if (val_width->as_int() > 1024) {
                    throw std::runtime_error("indent: width is too large");
                }
                indent.assign(std::max<int64_t>(val_width->as_int(), 0), ' ');]==])
# Text marked in part is handled as if all of it were input: indentation is used for data, never for special tokens.
change([==[            while (std::getline(iss, line)) {
]==] [==[            while (std::getline(iss, line)) {
                selfcd::charge(indent.size() + line.size());
]==])
change([==[            auto res = mk_val<value_string>(indented);
            res->val_str.mark_input_based_on(val_input->as_string());]==]
  [==[            auto res = mk_val<value_string>(jinja::string(indented, val_input->has_input() || val_width->has_input()));]==])
change([==[            const std::string delim = val_delim->is_undefined() ? "" : val_delim->as_string().str();
            std::string result;]==] [==[            const jinja::string delim = val_delim->is_undefined() ? jinja::string() : val_delim->as_string();
            jinja::string result;]==])
change([==[                result += val_arr->as_string().str();
                if (i < arr.size() - 1) {
                    result += delim;]==] [==[                result.append(val_arr->as_string());
                if (i < arr.size() - 1) {
                    result.append(delim);]==])
# std::sort may run out of bounds with a comparison that is not consistent, and this one (NaN, numbers against
# strings) is not. Python's sort is stable, too.
change([==[            std::sort(arr.begin(), arr.end(),]==] [==[            std::stable_sort(arr.begin(), arr.end(),]==])
change([==[            std::sort(result->val_obj.begin()]==] [==[            std::stable_sort(result->val_obj.begin()]==])
change([==[bool value_compare(const value & a, const value & b, value_compare_op op) {
]==] [==[bool value_compare(const value & a, const value & b, value_compare_op op) {
    selfcd::work(1);
]==])
change([==[    auto indent_str = [indent, curr_lvl]()]==] [==[    selfcd::depth_guard guard;
    selfcd::charge(8 + (indent > 0 ? size_t(curr_lvl + 1) * indent * 2 : 0) + val->val_str.length());
    auto indent_str = [indent, curr_lvl]()]==])
change([==[std::string value_to_string_repr(const value & val) {
]==] [==[std::string value_to_string_repr(const value & val) {
    selfcd::depth_guard guard;
    selfcd::charge(8 + val->val_str.length());
]==])
change([==[    val->stats.used = true;
    if (deep) {]==] [==[    selfcd::depth_guard guard;
    val->stats.used = true;
    if (deep) {]==])
close()

# --- runtime.h, runtime.cpp ---------------------------------------------------------------------------

open(runtime.h)
change([==[    size_t pos; // position in source, for debugging
    virtual ~statement() = default;]==] [==[    size_t pos = 0; // position in source, for debugging
    uint32_t height = 1; // of the tree below it
    virtual ~statement() = default;]==])
change([==[    // TODO: probably allow print value_none as]==] [==[    selfcd::depth_guard guard;
    // TODO: probably allow print value_none as]==])
close()

open(runtime.cpp)
change([==[    try {
        return execute_impl(ctx);]==] [==[    selfcd::step_guard guard;
    try {
        return execute_impl(ctx);]==])
change([==[                    val = mk_val<value_string>(std::string(1, str[index]));]==]
  [==[                    val = mk_val<value_string>(string::marked(str, object->as_string().marks(), index, 1));]==])
close()

# Signed overflow and casts of what does not fit are undefined in C++.
open(runtime.cpp)
change([==[                return mk_val<value_int>(static_cast<int64_t>(res));]==] [==[                return mk_val<value_int>(selfcd::to_int(res));]==])
change([==[                return mk_val<value_int>(static_cast<int64_t>(rem));]==] [==[                return mk_val<value_int>(selfcd::to_int(rem));]==])
change([==[            return mk_val<value_int>(-operand_val->as_int());]==] [==[            return mk_val<value_int>(selfcd::negated(operand_val->as_int()));]==])
close()
open(value.cpp)
change([==[            return mk_val<value_int>(val < 0 ? -val : val);]==] [==[            return mk_val<value_int>(val < 0 ? selfcd::negated(val) : val);]==])
change([==[            int64_t val = static_cast<int64_t>(args.get_pos(0)->as_float());]==] [==[            int64_t val = selfcd::to_int(args.get_pos(0)->as_float());]==])
close()
open(value.h)
change([==[        if (static_cast<int64_t>(val_flt) != v) {]==] [==[        if (selfcd::to_int(val_flt) != v) {]==])
change([==[        val_int = std::isfinite(v) ? static_cast<int64_t>(v) : 0;]==] [==[        val_int = std::isfinite(v) ? selfcd::to_int(v) : 0;]==])
close()

# --- parser.cpp ---------------------------------------------------------------------------------------

open(parser.cpp)
change([==[class parser {
]==] [==[template<typename T>
static uint32_t height_of(const T &) {
    return 0;
}
template<typename T>
static uint32_t height_of(const std::unique_ptr<T> & child) {
    return child ? child->height : 0;
}
static uint32_t height_of(const statements & children) {
    uint32_t most = 0;
    for (const auto & child : children) {
        most = std::max(most, height_of(child));
    }
    return most;
}
static uint32_t height_of(const std::vector<std::pair<statement_ptr, statement_ptr>> & children) {
    uint32_t most = 0;
    for (const auto & pair : children) {
        most = std::max(most, std::max(height_of(pair.first), height_of(pair.second)));
    }
    return most;
}

class parser {
]==])
# A chain such as a+b+c+... makes a deep tree without recursion of the parser, so trees are bounded as well.
change([==[        auto ptr = std::make_unique<T>(std::forward<Args>(args)...);
        assert(start_pos < tokens.size());
        ptr->pos = tokens[start_pos].pos;]==] [==[        uint32_t height = 0;
        ((height = std::max(height, height_of(args))), ...);
        selfcd::check_height(height + 1);
        if (start_pos >= tokens.size()) {
            throw parser_exception("Parser Error: Unexpected EOF", source, tokens.empty() ? 0 : tokens.back().pos);
        }
        auto ptr = std::make_unique<T>(std::forward<Args>(args)...);
        ptr->height = height + 1;
        ptr->pos = tokens[start_pos].pos;]==])
foreach(function
    [==[    statement_ptr parse_any() {
]==] [==[    statement_ptr parse_if_statement(size_t start_pos) {
]==] [==[    statement_ptr parse_if_expression() {
]==] [==[    statement_ptr parse_logical_negation_expression() {
]==] [==[    statement_ptr parse_unary_expression() {
]==] [==[    statement_ptr parse_call_expression(statement_ptr callee) {
]==])
  change("${function}" "${function}        selfcd::source_guard guard;
")
endforeach()
close()
