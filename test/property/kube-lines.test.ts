import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { readLines } from "../../src/kube/watch-stream.ts";

async function* cutInto(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const size of sizes) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
  yield bytes.subarray(start);
}

async function collect(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe("the lines of a watch", () => {
  test("are the same however the bytes are cut, inside a character too", async () => {
    const line = fc.string({ unit: "binary", minLength: 1 }).map((text) => JSON.stringify({ text }));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.integer({ min: 0, max: 12 })), async (lines, sizes) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""), "utf8");
        assert.deepEqual(await collect(readLines(cutInto(bytes, sizes))), lines);
      }),
    );
  });

  test("end without the one that was cut off", async () => {
    assert.deepEqual(await collect(readLines(cutInto(Buffer.from('{"a":1}\n\n{"b":'), [3]))), ['{"a":1}']);
  });

  test("are refused beyond the limit, so that a stream without a line end cannot fill the memory", async () => {
    await assert.rejects(collect(readLines(cutInto(Buffer.from("a".repeat(40)), [10, 10, 10]), 25)), /more than 25 bytes/);
  });
});
