import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { ClientAuthorities } from "../domain/ports/certificate-source.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { untilAborted } from "../runtime/lifecycle.ts";
import { type WholeBundle, wholeBundle } from "./read-certificate.ts";

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
 * an unusable file leaves the previous list in force, so that half a file neither admits nor rejects any client. Because half a file can
 * consist of whole certificates, a new content counts only when two checks in a row have found it.
 */
export function startClientAuthorities({ file, clock, logger }: ClientAuthoritiesOptions, signal: AbortSignal): FollowedAuthorities {
  let { text: last, pem: current } = readFirst(file);
  let examined = last;
  let reported: string | undefined;
  const listeners: (() => void)[] = [];
  const check = async (): Promise<void> => {
    const text = await readFile(file, "utf8").catch(() => "");
    const isSettled = text === last;
    last = text;
    if (!isSettled || text === examined) return;
    examined = text;
    const found = examine(text, file);
    if (typeof found === "string") {
      if (found !== reported) logger.error("the CAs of clients in the file cannot be used", { problem: found });
      reported = found;
      return;
    }
    reported = undefined;
    if (found.pem === current) return;
    current = found.pem;
    logger.info("asking clients for certificates of the CAs in the file", { authorities: found.certificates });
    for (const listener of listeners) listener();
  };
  const round = async (): Promise<void> => {
    await clock.sleep(TICK, signal);
    await check();
  };
  return { current: () => current, onChange: (listener) => void listeners.push(listener), done: untilAborted(signal, round) };
}

function readFirst(file: string): WholeBundle & { readonly text: string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // The system's message would only name the same file.
    // oxlint-disable-next-line eslint/preserve-caught-error -- for that reason.
    throw new Error(`--client-ca-file: ${file} cannot be read`);
  }
  const found = examine(text, file);
  if (typeof found === "string") throw new Error(found);
  return { ...found, text };
}

/** Returns the CAs, or the problem with the content of the file. */
function examine(text: string, file: string): WholeBundle | string {
  const found = wholeBundle(text);
  if (found === undefined) return `--client-ca-file: ${file} contains a certificate that cannot be read`;
  if (found.certificates === 0) return `--client-ca-file: ${file} contains no certificate in PEM`;
  try {
    createSecureContext({ ca: found.pem });
    return found;
  } catch {
    return `--client-ca-file: TLS rejects the content of ${file}`;
  }
}
