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

/** Milliseconds. The kubelet updates a ConfigMap within a minute; the file itself has a few kilobytes. */
const TICK = 2_000;

/**
 * Follows the CAs of clients in a file. Throws if the file has none at the start: without a list, Node would trust every public CA. Later,
 * an unusable file leaves the previous list in force, so that half a file neither admits nor rejects any client.
 */
export function startClientAuthorities({ file, clock, logger }: ClientAuthoritiesOptions, signal: AbortSignal): FollowedAuthorities {
  let current = readFirst(file);
  let reported: string | undefined;
  const listeners: (() => void)[] = [];
  const check = async (): Promise<void> => {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text === current) return;
    const problem = problemOf(text, file);
    if (problem === undefined) {
      current = text;
      logger.info("asking clients for certificates of the CAs in the file", { authorities: parseBundle(text).length });
      for (const listener of listeners) listener();
    } else if (problem !== reported) logger.error("the CAs of clients in the file cannot be used", { problem });
    reported = problem;
  };
  const round = async (): Promise<void> => {
    await clock.sleep(TICK, signal);
    await check();
  };
  return { current: () => current, onChange: (listener) => void listeners.push(listener), done: untilAborted(signal, round) };
}

function readFirst(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // The system's message would only name the same file.
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
