import { run } from "node:test";

/** How the test of a defect ended where the mend is not there. */
export type Outcome =
  | { readonly kind: "red"; readonly test: string; readonly assertion: string }
  /** It ended otherwise than by an assertion: nothing is shown. */
  | { readonly kind: "broken"; readonly test: string; readonly error: string }
  | { readonly kind: "green"; readonly test: string }
  /** No test of the defect came to run. */
  | { readonly kind: "absent" };

/** Some of the tests start a control plane. */
const LONGEST_MS = 300_000;

/** Runs the tests of one defect in a checkout. The worst outcome for us counts: one that is green where it should be red. */
export async function runRed(folder: string, files: readonly string[], id: string): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  // Node 24 writes the names of suites before a test's: the pattern looks for the id at the start of any of them.
  const testNamePatterns = [new RegExp(`(^|\\s)${id}: `)];
  const stream = run({
    cwd: folder,
    files: files.map((file) => `${folder}/${file}`),
    testNamePatterns,
    timeout: LONGEST_MS,
    concurrency: false,
  });
  const isNamed = (name: string): boolean => name.startsWith(`${id}: `);
  stream.on("test:pass", ({ name, skip }) => {
    if (isNamed(name) && skip === undefined) outcomes.push({ kind: "green", test: name });
  });
  stream.on("test:fail", ({ name, details }) => {
    if (isNamed(name)) outcomes.push(failureOf(name, details.error));
  });
  for await (const _event of stream) {
    // Consumed for its events.
  }
  const red = outcomes.find(({ kind }) => kind === "red");
  return red ?? outcomes.find(({ kind }) => kind === "broken") ?? outcomes[0] ?? { kind: "absent" };
}

function failureOf(test: string, error: Error): Outcome {
  const cause: unknown = error.cause ?? error;
  const text = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s*\n\s*/g, " | ").slice(0, 300);
  const code: unknown = typeof cause === "object" && cause !== null ? Reflect.get(cause, "code") : undefined;
  return code === "ERR_ASSERTION" ? { kind: "red", test, assertion: text } : { kind: "broken", test, error: text };
}
