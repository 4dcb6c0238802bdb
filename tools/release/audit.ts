/**
 * Lists known vulnerabilities of the locked packages, including those for development. A step of `npm run check`.
 *
 * A finding is an error unless `tools/release/audit-exceptions.json` excuses its advisory until a date that has not passed. If the registry
 * has no audit endpoint, the step prints a message, and fails only if `KEYVAULT_INJECTOR_AUDIT=required`.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { npmEnvironment } from "./npm.ts";

const root = path.resolve(import.meta.dirname, "../..");
const EXCEPTIONS = "tools/release/audit-exceptions.json";

const exceptionSchema = z.strictObject({
  /** Id as in the address of the advisory. */
  advisory: z.string().regex(/^GHSA(-[a-z0-9]{4}){3}$/),
  package: z.string(),
  /** Reason why the vulnerability does no harm here. */
  why: z.string().min(20),
  /** Last day of the exception. */
  until: z.iso.date(),
});

export type AuditException = z.infer<typeof exceptionSchema>;

/** The parts of `npm audit --json` that this step reads. `via` contains names of other packages, or advisories. */
const reportSchema = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      via: z.array(z.union([z.string(), z.object({ url: z.string(), title: z.string(), severity: z.string(), name: z.string() })])),
    }),
  ),
});

export type AuditReport = z.infer<typeof reportSchema>;

/** Throws with the name of the wrong field. */
export function readExceptions(text: string): readonly AuditException[] {
  return z.array(exceptionSchema).parse(JSON.parse(text));
}

/**
 * Problems to fix, one per line: advisories without an exception, and exceptions that ended or that no advisory needs. `today` is an ISO
 * date.
 */
export function auditProblems(report: AuditReport, exceptions: readonly AuditException[], today: string): readonly string[] {
  const advisories = Object.values(report.vulnerabilities)
    .flatMap(({ via }) => via)
    .filter((via) => typeof via !== "string");
  const found = new Map(advisories.map((advisory) => [path.posix.basename(advisory.url), advisory]));
  const unexcused = [...found]
    .filter(([id]) => !exceptions.some(({ advisory, until }) => advisory === id && until >= today))
    .map(([id, { name, severity, title }]) => `${id} ${name} (${severity}): ${title}`);
  return [...unexcused, ...endedExceptions(exceptions, today), ...unneeded(exceptions, found)];
}

export function endedExceptions(exceptions: readonly AuditException[], today: string): readonly string[] {
  return exceptions.filter(({ until }) => until < today).map(({ advisory, until }) => `${advisory}: its exception ended on ${until}`);
}

function unneeded(exceptions: readonly AuditException[], found: ReadonlyMap<string, unknown>): readonly string[] {
  return exceptions.filter(({ advisory }) => !found.has(advisory)).map(({ advisory }) => `${advisory}: excepted, and no package has it`);
}

/** Answer of npm. `why` is the reason why the registry did not answer. */
export type AuditAnswer = { readonly kind: "report"; readonly report: AuditReport } | { readonly kind: "unanswered"; readonly why: string };

/** `output` is that of `npm audit --json`. Throws if it is neither a report nor an error from npm. */
export function readAnswer(output: string): AuditAnswer {
  const parsed: unknown = JSON.parse(output);
  const report = reportSchema.safeParse(parsed);
  if (report.success) return { kind: "report", report: report.data };
  const { message } = z.object({ message: z.string() }).parse(parsed);
  // Removes the registry's address, which depends on this machine.
  return { kind: "unanswered", why: `the registry did not answer: ${message.replaceAll(/(\s*-\s*\w+)? ?https?:\S+/g, "")}` };
}

function askRegistry(): AuditAnswer {
  const bound = ["--fetch-timeout=15000", "--fetch-retries=0"];
  const { stdout, error } = spawnSync("npm", ["audit", "--json", ...bound], {
    cwd: root,
    env: npmEnvironment(),
    encoding: "utf8",
    timeout: 60_000,
  });
  if (error !== undefined) return { kind: "unanswered", why: `npm audit did not end: ${error.message}` };
  return readAnswer(stdout);
}

function main(): number {
  const exceptions = readExceptions(readFileSync(path.join(root, EXCEPTIONS), "utf8"));
  const today = new Date().toISOString().slice(0, 10);
  const answer = askRegistry();
  if (answer.kind === "unanswered") console.log(`audit: SKIPPED: ${answer.why}`);
  const isRequired = process.env["KEYVAULT_INJECTOR_AUDIT"] === "required";
  const problems = answer.kind === "report" ? auditProblems(answer.report, exceptions, today) : endedExceptions(exceptions, today);
  for (const problem of problems) console.error(`audit: ${problem}`);
  if (problems.length > 0) console.error(`audit: raise the package, or except the advisory in ${EXCEPTIONS} with why and until when`);
  return problems.length > 0 || (answer.kind === "unanswered" && isRequired) ? 1 : 0;
}

if (import.meta.main) process.exitCode = main();
