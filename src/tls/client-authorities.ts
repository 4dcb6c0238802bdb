import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { ClientAuthorities } from "../domain/ports/certificate-source.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { untilAborted } from "../runtime/lifecycle.ts";
import { parseBundle } from "./read-certificate.ts";

export interface ClientAuthoritiesOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface FollowedAuthorities extends ClientAuthorities {
  /** Resolves after the signal aborted. */
  readonly done: Promise<void>;
}

/** The kubelet brings a new ConfigMap within a minute; the file itself is a few kilobytes. */
const TICK = 2_000;

/**
 * The CAs of clients that a file names, and what becomes of the file. Throws where it has none at the start: without a list Node would
 * trust every public CA. Later the list before is kept, so that nobody is let in or out by half a file.
 */
export function startClientAuthorities({ file, clock, logger }: ClientAuthoritiesOptions, signal: AbortSignal): FollowedAuthorities {
  let current = readFirst(file);
  let told: string | undefined;
  const listeners: (() => void)[] = [];
  const look = async (): Promise<void> => {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text === current) return;
    const problem = problemOf(text, file);
    if (problem === undefined) {
      current = text;
      logger.info("asking clients for certificates of the CAs in the file", { authorities: parseBundle(text).length });
      for (const listener of listeners) listener();
    } else if (problem !== told) logger.error("the CAs of clients in the file cannot be used", { problem });
    told = problem;
  };
  const round = async (): Promise<void> => {
    await clock.sleep(TICK, signal);
    await look();
  };
  return { current: () => current, onChange: (listener) => void listeners.push(listener), done: untilAborted(signal, round) };
}

function readFirst(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // Its text would name the same file.
    // oxlint-disable-next-line eslint/preserve-caught-error -- for that reason.
    throw new Error(`--client-ca-file: ${file} cannot be read`);
  }
  const problem = problemOf(text, file);
  if (problem !== undefined) throw new Error(problem);
  return text;
}

function problemOf(text: string, file: string): string | undefined {
  if (parseBundle(text).length === 0) return `--client-ca-file: ${file} contains no certificate in PEM`;
  try {
    createSecureContext({ ca: text });
    return undefined;
  } catch {
    return `--client-ca-file: TLS rejects the content of ${file}`;
  }
}
