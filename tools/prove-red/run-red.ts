import { run } from "node:test";

/** Result of a defect's test without the fix. */
export type Outcome =
  | { readonly kind: "red"; readonly test: string; readonly assertion: string }
  /** The test ended without a failed assertion, which proves nothing. */
  | { readonly kind: "broken"; readonly test: string; readonly error: string }
  | { readonly kind: "green"; readonly test: string }
  /** No test of the defect ran. */
  | { readonly kind: "absent" };

/** Some of the tests start a control plane. */
const LONGEST_MS = 300_000;

/** Runs the tests of one defect in a checkout. Returns the first failed assertion. Without one, a broken test comes before a passed one. */
export async function runRed(folder: string, files: readonly string[], id: string): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  // Node 24 matches the pattern against the names of the suites followed by the test's name. Therefore the id may be at the start of any of
  // these names.
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
    // The loop consumes the stream, so that its handlers run.
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
