// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace kio {

struct Error {
    int code;             ///< an errno
    std::string sentence; ///< what was refused and why, for a person
};

/// What a step that can be refused gives back: its value, or the Error. Test it before use.
template <typename T = void>
class [[nodiscard]] Result {
public:
    Result(T value) : outcome_(std::move(value)) {}
    Result(Error error) : outcome_(std::move(error)) {}

    explicit operator bool() const { return std::holds_alternative<T>(outcome_); }
    const T& operator*() const& { return std::get<T>(outcome_); }
    T&& operator*() && { return std::get<T>(std::move(outcome_)); }
    const T* operator->() const { return &std::get<T>(outcome_); }
    const Error& error() const { return std::get<Error>(outcome_); }

    T value_or(T fallback) && { return *this ? *std::move(*this) : std::move(fallback); }

private:
    std::variant<T, Error> outcome_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const { return !error_; }
    const Error& error() const { return error_.value(); }

private:
    std::optional<Error> error_;
};

} // namespace kio
