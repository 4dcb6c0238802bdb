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

  test("has no versions in times: a server comes to the year's number some day", () => {
    const names = new Correspondence();
    assert.ok(names.pairVersions("1", "7"));
    assert.ok(names.pairVersions("2026", "662"));

    assert.equal(names.translated("2026-01-01T00:00:00Z, by version 2026"), "2026-01-01T00:00:00Z, by version 662");
  });

  test("are no uids that operations make up: answers of different things make no pair of them", () => {
    const names = new Correspondence();
    const [first, second] = ["11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"];

    assert.ok(!names.pair(first, second));
    assert.ok(names.pair(first, first));
    assert.equal(names.translated(first), first);
  });

  test("are no numbers that both texts have: a server comes to the number of an RFC some day", () => {
    const names = new Correspondence();
    assert.ok(names.pairVersions("1123", "655"));
    assert.ok(names.pair("web-2nw2f", "web-qd7g2"));
    const text = (name: string): string => `"${name}" is no RFC 1123 label`;

    assert.ok(names.isSame(text("web-2nw2f"), text("web-qd7g2")));
    assert.ok(!names.isSame(text("web-2nw2f"), text("web-other")));
    assert.ok(names.isSame("version 1123 is too old", "version 655 is too old"));
    assert.ok(!names.isSame("version 1123 is too old", "version 656 is too old"));
    assert.ok(!names.isSame("version 1123 is too old", "version 655 is too new"));
  });
});
