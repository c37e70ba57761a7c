// SPDX-License-Identifier: GPL-2.0
// Filters: what is written for rules, and what is shown of them.
#include <cerrno>

#include <gtest/gtest.h>

#include "tests/fake_control.hpp"
#include "tests/run_kioctl.hpp"

namespace kio {
namespace {

FakeControl one_of_each()
{
    FakeControl control;
    control.add_object("filter/bad", {{"enable", "1"},
                                      {"size_bytes", "8388608"},
                                      {"kind", "flakey"},
                                      {"lower", "/dev/sdb"},
                                      {"rules", "write 2048 8 error EIO count 3\nany 0 - hold"},
                                      {"state", "0 5 3 0\n1 12 12 2"}});
    control.add_object("filter/safe",
                       {{"enable", "0"},
                        {"size_bytes", "0"},
                        {"kind", "checksum"},
                        {"lower", "/dev/kio/bad"},
                        {"state", "verified 7\nunverified 1\nmismatches 0\ntorn 0"}});
    return control;
}

TEST(FilterCreate, WritesRulesOnceItIsUp)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"filter", "create", "f", "--kind", "flakey", "--rule",
                                "read 0 - delay 5", "--rule", "any 0 8 hold", "/dev/a"}),
              "");
    EXPECT_EQ(control.effects, (Effects{"mkdir filter/f", "write filter/f/kind flakey",
                                        "write filter/f/lower /dev/a", "write filter/f/enable 1",
                                        "write filter/f/rules read 0 - delay 5\nany 0 8 hold"}));
}

TEST(FilterCreate, AsksForAFreshArea)
{
    FakeControl control;
    EXPECT_EQ(printed(control, {"filter", "create", "f", "-k", "checksum", "--create", "/dev/a"}),
              "");
    EXPECT_EQ(control.effects, (Effects{"mkdir filter/f", "write filter/f/kind checksum",
                                        "write filter/f/lower /dev/a", "write filter/f/create 1",
                                        "write filter/f/enable 1"}));
}

TEST(FilterCreate, WithABadRuleLeavesNothing)
{
    FakeControl control;
    control.refuse("write filter/f/rules read 0", EINVAL, "Rule 1 has no length.");
    EXPECT_EQ(
        refused(control, {"filter", "create", "f", "-k", "flakey", "--rule", "read 0", "/dev/a"}),
        "kioctl: filter 'f' refused rules: Rule 1 has no length.\n");
    EXPECT_EQ(control.effects.at(control.effects.size() - 2), "write filter/f/enable 0");
    EXPECT_FALSE(control.is_directory("filter/f"));
}

TEST(FilterRules, AreAddedInOneWrite)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "rules", "bad", "read 0 8 hold", "any 8 - delay 1"}), "");
    EXPECT_EQ(control.effects, Effects{"write filter/bad/rules read 0 8 hold\nany 8 - delay 1"});
}

TEST(FilterRules, AreReplacedInOneWrite)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "rules", "bad", "--clear", "read 0 8 hold"}), "");
    EXPECT_EQ(control.effects, Effects{"write filter/bad/rules clear\nread 0 8 hold"});
}

TEST(FilterRules, AreCleared)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "rules", "bad", "--clear"}), "");
    EXPECT_EQ(control.effects, Effects{"write filter/bad/rules clear"});
}

TEST(FilterRules, ComeFromStandardInputOrAFile)
{
    for (const Words& source : {Words{"-"}, Words{"--file", "-"}, Words{"--file", "/tmp/rules"}}) {
        auto control = one_of_each();
        control.files[source.back()] = "read 0 8 hold\nread 8 8 hold\n";
        Words words{"filter", "rules", "bad"};
        words.insert(words.end(), source.begin(), source.end());
        EXPECT_EQ(printed(control, words), "");
        EXPECT_EQ(control.effects, Effects{"write filter/bad/rules read 0 8 hold\nread 8 8 hold"});
    }
}

TEST(FilterRules, ThatCannotBeReadHaveNoEffect)
{
    auto control = one_of_each();
    EXPECT_EQ(refused(control, {"filter", "rules", "bad", "--clear", "--file", "/tmp/none"}),
              "kioctl: cannot read the rules from /tmp/none: No such file or directory\n");
    EXPECT_EQ(control.effects, Effects{});
}

TEST(FilterRules, ArePrintedAsTheyCanBeWritten)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "rules", "bad"}), "write 2048 8 error EIO count 3\n"
                                                            "any 0 - hold\n");
    EXPECT_EQ(printed(control, {"filter", "rules", "bad", "--json"}), R"({
  "kind": "filter",
  "name": "bad",
  "rules": [
    "write 2048 8 error EIO count 3",
    "any 0 - hold"
  ]
}
)");
    EXPECT_EQ(control.effects, Effects{});
}

TEST(FilterState, OfFlakeyIsATableOfRules)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "state", "bad"}),
              "INDEX  MET  ACTED  WAITING  RULE\n"
              "0      5    3      0        write 2048 8 error EIO count 3\n"
              "1      12   12     2        any 0 - hold\n");
}

TEST(FilterState, OfFlakeyAsJson)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "show", "bad", "--json"}), R"({
  "kind": "filter",
  "name": "bad",
  "path": "/dev/kio/bad",
  "state": "up",
  "size_bytes": 8388608,
  "filter": "flakey",
  "lower": "/dev/sdb",
  "rules": [
    {
      "index": 0,
      "met": 5,
      "acted": 3,
      "waiting": 0,
      "rule": "write 2048 8 error EIO count 3"
    },
    {
      "index": 1,
      "met": 12,
      "acted": 12,
      "waiting": 2,
      "rule": "any 0 - hold"
    }
  ]
}
)");
}

TEST(FilterState, OfChecksumIsItsCounters)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "state", "safe"}), "verified 7\n"
                                                             "unverified 1\n"
                                                             "mismatches 0\n"
                                                             "torn 0\n");
    EXPECT_EQ(printed(control, {"filter", "state", "safe", "--json"}), R"({
  "kind": "filter",
  "name": "safe",
  "path": "/dev/kio/safe",
  "state": "down",
  "size_bytes": 0,
  "filter": "checksum",
  "lower": "/dev/kio/bad",
  "counters": {
    "verified": 7,
    "unverified": 1,
    "mismatches": 0,
    "torn": 0
  }
}
)");
}

TEST(FilterRelease, WritesAll)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "release", "bad"}), "");
    EXPECT_EQ(control.effects, Effects{"write filter/bad/release all"});
}

TEST(FilterList, ShowsKindAndLower)
{
    auto control = one_of_each();
    EXPECT_EQ(printed(control, {"filter", "list"}), "NAME  SIZE  STATE  KIND      LOWER\n"
                                                    "bad   8M    up     flakey    /dev/sdb\n"
                                                    "safe  0B    down   checksum  /dev/kio/bad\n");
}

TEST(FilterList, AsJson)
{
    auto control = one_of_each();
    EXPECT_TRUE(printed(control, {"filter", "list", "--json"}).starts_with(R"([
  {
    "kind": "filter",
    "name": "bad",
    "path": "/dev/kio/bad",
    "state": "up",
    "size_bytes": 8388608,
    "filter": "flakey",
    "lower": "/dev/sdb"
  },
)"));
}

TEST(Filter, ThatIsNotThere)
{
    FakeControl control;
    for (const Words& words :
         {Words{"filter", "rules", "f"}, Words{"filter", "rules", "f", "any 0 - hold"},
          Words{"filter", "state", "f"}, Words{"filter", "release", "f"}})
        EXPECT_EQ(refused(control, words), "kioctl: there is no filter 'f'\n");
    EXPECT_EQ(control.effects, Effects{});
}

} // namespace
} // namespace kio
