/** Runs promtool, Prometheus's own checker of rules, on our rules. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AlertCase } from "../../contract/judge/alert-cases.ts";
import { builtProgram } from "../../e2e/support/binaries.ts";
import { at, listAt } from "../cluster/shipped-manifests.ts";
import { alertGroups, alertRules } from "./monitoring.ts";

export interface Verdict {
  readonly code: number;
  readonly text: string;
}

export interface Promtool {
  /** Writes a file for promtool, and returns its path. JSON is valid YAML. */
  file(name: string, content: unknown): string;
  judge(...args: readonly string[]): Promise<Verdict>;
  close(): void;
}

export async function openPromtool(): Promise<Promtool> {
  const promtool = await builtProgram("promtool");
  const folder = mkdtempSync(path.join(tmpdir(), "alerts-"));
  return {
    file: (name, content) => {
      const where = path.join(folder, name);
      writeFileSync(where, typeof content === "string" ? content : JSON.stringify(content));
      return where;
    },
    judge: (...args) =>
      new Promise((resolve) => {
        execFile(promtool, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
        );
      }),
    close: () => rmSync(folder, { recursive: true }),
  };
}

/** Annotations contain measured values in words. The tests compare only the runbook. */
export function testedGroups(): readonly unknown[] {
  return alertGroups().map((group) => ({
    name: at(group, "name"),
    rules: listAt(group, "rules").map((rule) => ({
      ...Object(rule),
      annotations: { runbook_url: at(rule, "annotations", "runbook_url") },
    })),
  }));
}

/** Alerts that an alert's fault should fire, with their labels and runbooks. */
export function expectedAlerts({ alert, fires }: AlertCase): readonly unknown[] {
  const rule = alertRules().find((each) => each.alert === alert);
  return fires.labels.map((labels) => ({
    exp_labels: { severity: rule?.labels["severity"], ...labels },
    exp_annotations: { runbook_url: rule?.annotations["runbook_url"]?.replace("{{ $labels.reason }}", labels["reason"] ?? "") },
  }));
}
