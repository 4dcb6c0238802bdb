import assert from "node:assert/strict";
import { test } from "node:test";
import { toJson } from "../../src/cli/manifest/yaml.ts";

test("A19-9: JSON for a terminal holds nothing that turns a line around or ends it, and says the same", () => {
  const text = "a\u202eb\u2028c\u0085d\u{e0041}e\u200f";

  const json = toJson({ text });

  assert.doesNotMatch(json.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.deepEqual(JSON.parse(json), { text });
  assert.match(json, /a\\u202eb\\u2028c\\u0085d\\udb40\\udc41e\\u200f/);
});
