/**
 * Writes a CA and a serving certificate for the webhook's Service into a folder, for development: a server run by hand, a TLS client
 * to try it with. The webhook itself needs none of this, it issues its own.
 *
 *   node certs/issue-dev.ts --out <folder> [--service <name>] [--namespace <name>] [--dns-name <name> …]
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { serviceDnsNames, WEBHOOK_SERVICE } from "../src/domain/certificates/names.ts";
import { issueAuthority, issueLeaf } from "../src/tls/issue.ts";
import { newRsaKey, privateKeyPem } from "../src/tls/rsa-key.ts";

export interface DevelopmentRequest {
  readonly folder: string;
  readonly dnsNames: readonly string[];
  /** Unix milliseconds. */
  readonly now: number;
}

/** Writes `ca.crt`, `ca.key`, `tls.crt` and `tls.key`; keys are readable by their owner only. Throws where one of them exists. Returns the paths. */
export async function issueForDevelopment({ folder, dnsNames, now }: DevelopmentRequest): Promise<readonly string[]> {
  const [caKey, key] = await Promise.all([newRsaKey(2048), newRsaKey(2048)]);
  const ca = issueAuthority(caKey, now);
  const files = {
    "ca.crt": ca.pem,
    "ca.key": privateKeyPem(caKey),
    "tls.crt": issueLeaf({ pem: ca.pem, key: caKey }, { key, dnsNames, now }),
    "tls.key": privateKeyPem(key),
  };
  const targets = Object.entries(files).map(([name, text]) => ({
    file: path.join(folder, name),
    text,
    mode: name.endsWith(".key") ? 0o600 : 0o644,
  }));
  const taken = targets.find(({ file }) => existsSync(file));
  // Someone may still use the key that would be lost.
  if (taken !== undefined) throw new Error(`${taken.file} exists already; delete it or name another folder`);
  mkdirSync(folder, { recursive: true });
  for (const { file, text, mode } of targets) writeFileSync(file, text, { mode, flag: "wx" });
  return targets.map(({ file }) => file);
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: "string" },
      service: { type: "string", default: WEBHOOK_SERVICE },
      namespace: { type: "string", default: "keyvault-injector" },
      "dns-name": { type: "string", multiple: true, default: [] },
    },
  });
  if (values.out === undefined) throw new Error("--out is missing: name the folder to write to");
  const dnsNames = [...serviceDnsNames(values.service, values.namespace), ...values["dns-name"]];
  const files = await issueForDevelopment({ folder: values.out, dnsNames, now: Date.now() });
  process.stdout.write(`${files.join("\n")}\n`);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`issue-dev: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
