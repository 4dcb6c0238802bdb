/**
 * Known vulnerabilities of the locked packages, development's among them: a step of `npm run check`.
 *
 * A finding fails unless `tools/release/audit-exceptions.json` excuses its advisory until a day that has not passed. A registry without
 * an audit endpoint answers nothing about the packages: that is said, and fails only where `KEYVAULT_INJECTOR_AUDIT=required`.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { npmEnvironment } from "./npm.ts";

const root = path.resolve(import.meta.dirname, "../..");
const EXCEPTIONS = "tools/release/audit-exceptions.json";

const exceptionSchema = z.strictObject({
  /** As in the address of the advisory. */
  advisory: z.string().regex(/^GHSA(-[a-z0-9]{4}){3}$/),
  package: z.string(),
  /** Why it does no harm here. */
  why: z.string().min(20),
  /** The last day on which that is believed. */
  until: z.iso.date(),
});

export type AuditException = z.infer<typeof exceptionSchema>;

/** The parts of `npm audit --json` that are read; `via` names other packages, or is an advisory itself. */
const reportSchema = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      via: z.array(z.union([z.string(), z.object({ url: z.string(), title: z.string(), severity: z.string(), name: z.string() })])),
    }),
  ),
});

export type AuditReport = z.infer<typeof reportSchema>;

/** Throws naming the field that is wrong. */
export function readExceptions(text: string): readonly AuditException[] {
  return z.array(exceptionSchema).parse(JSON.parse(text));
}

/** What must be mended, one line each: advisories without an exception, exceptions that ended or excuse nothing. `today` is an ISO date. */
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

/** What npm answered; `why` where the registry has no answer. */
export type AuditAnswer = { readonly kind: "report"; readonly report: AuditReport } | { readonly kind: "unanswered"; readonly why: string };

/** `output` is that of `npm audit --json`. Throws on one that is neither a report nor an error of npm's. */
export function readAnswer(output: string): AuditAnswer {
  const parsed: unknown = JSON.parse(output);
  const report = reportSchema.safeParse(parsed);
  if (report.success) return { kind: "report", report: report.data };
  const { message } = z.object({ message: z.string() }).parse(parsed);
  // Its address is of whatever registry this machine uses.
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
