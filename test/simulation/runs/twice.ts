/** Checks that the same seed gives the same trace: again in the same process, and in another process. */
import type { Job, Summary } from "./job.ts";
import { Pool } from "./pool.ts";

export interface Compared {
  readonly digests: readonly string[];
  /** The first records that differ, with two records before; undefined if all traces are the same. */
  readonly difference: string | undefined;
}

/** Runs a job three times. If the traces differ, runs it twice more to show where. */
export async function runThrice(job: Job): Promise<Compared> {
  const [one, other] = [new Pool(1), new Pool(1)];
  try {
    const [first, alone] = await Promise.all([one.run(job), other.run(job)]);
    const again = await one.run(job);
    const digests = [first, again, alone].map(({ digest }) => digest);
    const differing = [again, alone].find(({ digest }) => digest !== first.digest);
    if (differing === undefined) return { digests, difference: undefined };
    const keptBlock = first.blocks.findIndex((digest, index) => digest !== differing.blocks[index]);
    const [left, right] = await Promise.all([one.run({ ...job, keptBlock }), other.run({ ...job, keptBlock })]);
    return { digests, difference: differenceOf(left, right) };
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

function differenceOf({ lines }: Summary, { lines: others }: Summary): string {
  const at = lines.findIndex((line, index) => line !== others[index]);
  if (at < 0) return "not met again: it depends on real time";
  const shown = (line: string | undefined): string => (line ?? "nothing").slice(0, 500);
  const before = lines.slice(Math.max(at - 2, 0), at).map((line) => `  ${shown(line)}`);
  return [...before, `- ${shown(lines[at])}`, `+ ${shown(others[at])}`].join("\n");
}
