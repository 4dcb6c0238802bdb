import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Correspondence } from "../simulation/compare/correspondence.ts";

describe("what two API servers call by names of their own", () => {
  test("is translated as a whole: a part of a uid is no version", () => {
    const names = new Correspondence();
    assert.ok(names.pairVersions("2222", "1231"));
    assert.ok(names.pair("0aaaaaaa-0000-4000-8000-000000002222", "0bbbbbbb-2222-4000-8000-000000000000"));

    assert.equal(names.translated("version 2222 is too old"), "version 1231 is too old");
    assert.equal(names.translated("11111111-2222-4333-8444-555555555555"), "11111111-2222-4333-8444-555555555555");
    assert.equal(names.translated("uid 0aaaaaaa-0000-4000-8000-000000002222"), "uid 0bbbbbbb-2222-4000-8000-000000000000");
  });
});
