import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../simulation/api/json.ts";
import { Correspondence } from "../simulation/compare/correspondence.ts";
import { differencesOfLists } from "../simulation/compare/difference.ts";

function list(...items: readonly { readonly name: string; readonly data: string; readonly namespace?: string }[]): Json {
  return { items: items.map(({ name, data, namespace = "x" }) => ({ metadata: { name, namespace }, data })) };
}

describe("two servers' lists", () => {
  const names = new Correspondence();
  assert.ok(names.pair("web-22222", "web-zzzzz"));
  assert.ok(names.pair("web-77777", "web-bbbbb"));
  const real = list({ name: "db", data: "c" }, { name: "web-22222", data: "a" }, { name: "web-77777", data: "b" });
  const paths = (simulated: Json): readonly string[] => differencesOfLists(real, simulated, names).map(({ path }) => path);

  test("are the same where names that were made up stand in the order that chance has given them", () => {
    assert.deepEqual(paths(list({ name: "db", data: "c" }, { name: "web-bbbbb", data: "b" }, { name: "web-zzzzz", data: "a" })), []);
  });

  test("differ where such an object has another one's content, and where other objects are in another order", () => {
    const swapped = list({ name: "db", data: "c" }, { name: "web-bbbbb", data: "a" }, { name: "web-zzzzz", data: "b" });
    const moved = list({ name: "web-bbbbb", data: "b" }, { name: "web-zzzzz", data: "a" }, { name: "db", data: "c" });

    assert.deepEqual(paths(swapped), ["items[1].data", "items[2].data"]);
    assert.ok(paths(moved).includes("items[0].metadata.name"));
  });

  test("keep their order where namespaces have objects of one name", () => {
    const both = list({ name: "a", data: "1" }, { name: "b", data: "2" }, { name: "a", data: "3", namespace: "y" });

    assert.deepEqual(differencesOfLists(both, both, names), []);
  });
});
