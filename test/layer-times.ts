// Reporter of node:test: its last lines show how long each layer took. Files run in parallel, so the sum of the layers exceeds the elapsed
// time.
import path from "node:path";

interface Summary {
  readonly type: string;
  readonly data: { readonly file?: string; readonly duration_ms?: number };
}

/** Number of files to list: enough to find out why a run takes too long. */
const SLOWEST = 20;

const root = path.resolve(import.meta.dirname, "../test");

export async function* layerTimes(events: AsyncIterable<Summary>): AsyncGenerator<string> {
  const layers = new Map<string, { files: number; milliseconds: number }>();
  const times: (readonly [file: string, milliseconds: number])[] = [];
  for await (const { type, data } of events) {
    // One event for each file, and one without a file for the whole run.
    if (type !== "test:summary" || data.file === undefined) continue;
    const { file, duration_ms: milliseconds = 0 } = data;
    const name = path.relative(root, file);
    const [layer = ""] = name.split(path.sep);
    const before = layers.get(layer) ?? { files: 0, milliseconds: 0 };
    layers.set(layer, { files: before.files + 1, milliseconds: before.milliseconds + milliseconds });
    times.push([name, milliseconds]);
  }
  const parts = [...layers].map(([layer, { files, milliseconds }]) => `${layer} ${inSeconds(milliseconds)} in ${files} files`);
  const slowest = times.sort(([, one], [, other]) => other - one).slice(0, SLOWEST);
  yield `run-tests: work by layer: ${parts.join(", ")}\n`;
  yield `run-tests: slowest files: ${slowest.map(([name, milliseconds]) => `${name} ${inSeconds(milliseconds)}`).join(", ")}\n`;
}

function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(0)} s`;
}

// node:test uses the default export of a reporter module.
// oxlint-disable-next-line import/no-default-export
export default layerTimes;
