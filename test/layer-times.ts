// Reporter of node:test: the last line of a run says how the time was spent. Files run side by side, so that the layers' sum is more
// than what a clock shows.
import path from "node:path";

interface Summary {
  readonly type: string;
  readonly data: { readonly file?: string; readonly duration_ms?: number };
}

const root = path.resolve(import.meta.dirname, "../test");

export async function* layerTimes(events: AsyncIterable<Summary>): AsyncGenerator<string> {
  const layers = new Map<string, { files: number; milliseconds: number }>();
  for await (const { type, data } of events) {
    // One for each file, and one without a file for all.
    if (type !== "test:summary" || data.file === undefined) continue;
    const [layer = ""] = path.relative(root, data.file).split(path.sep);
    const before = layers.get(layer) ?? { files: 0, milliseconds: 0 };
    layers.set(layer, { files: before.files + 1, milliseconds: before.milliseconds + (data.duration_ms ?? 0) });
  }
  const parts = [...layers].map(([layer, { files, milliseconds }]) => `${layer} ${(milliseconds / 1_000).toFixed(0)} s in ${files} files`);
  yield `run-tests: work by layer: ${parts.join(", ")}\n`;
}

// node:test takes a reporter by its default export.
// oxlint-disable-next-line import/no-default-export
export default layerTimes;
