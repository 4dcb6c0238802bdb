import { readFileSync } from "node:fs";
import path from "node:path";
import type { User } from "@kubernetes/client-node";
import { nonEmptyText } from "../domain/json-members.ts";
import type { JsonObject } from "../domain/json-object.ts";

/** A user of a kubeconfig with the field that client-node does not read. */
interface TokenFileUser extends User {
  tokenFile?: string | undefined;
}

/** Names the file that contains no token. Contains nothing of the file itself. */
export class TokenFileFailure extends Error {
  override readonly name = "TokenFileFailure";
}

/** Adds the kubeconfig field `tokenFile`. As in client-go, the file wins over a token written next to it. */
export function addTokenFile(user: TokenFileUser, { tokenFile }: JsonObject): void {
  const file = nonEmptyText(tokenFile);
  if (file !== undefined) Object.assign(user, { tokenFile: file, token: undefined });
}

/**
 * Takes the file of the pod's ServiceAccount away from client-node, which sends a line break at the end of the file as part of the token,
 * and no token at all if the file is empty.
 */
export function takeTokenFile(user: TokenFileUser): void {
  const { config }: { config?: { tokenFile?: unknown } } = user.authProvider ?? {};
  if (typeof config?.tokenFile === "string") Object.assign(user, { tokenFile: config.tokenFile, authProvider: undefined });
}

export function makeTokenFileAbsolute(user: TokenFileUser, folder: string): void {
  if (user.tokenFile !== undefined) user.tokenFile = path.resolve(folder, user.tokenFile);
}

/** Time in milliseconds for which a token still serves after its file was last readable. */
const LAST_TOKEN_MS = 60_000;

/** Tokens of the files that a kubeconfig names. */
export class TokenFiles {
  readonly #last = new Map<string, { readonly token: string; readonly until: number }>();
  readonly #now: () => number;

  /** `now`: milliseconds that only increase. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Returns the token in the user's file, or undefined if the user has no such file. Reads the file for each request, because the file
   * rotates while the process runs. A file that is written in place is empty for a moment: then the last token serves, as in client-go.
   */
  tokenOf(user: TokenFileUser | null): string | undefined {
    const file = user?.tokenFile;
    if (file === undefined) return undefined;
    try {
      const token = tokenIn(file);
      this.#last.set(file, { token, until: this.#now() + LAST_TOKEN_MS });
      return token;
    } catch (error) {
      const last = this.#last.get(file);
      if (last === undefined || last.until < this.#now()) throw error;
      return last.token;
    }
  }
}

/** Trims the token, like client-go: `kubectl create token` prints a line break. */
function tokenIn(file: string): string {
  const token = readFileSync(file, "utf8").trim();
  if (token === "") throw new TokenFileFailure(`${file} is empty`);
  // For example in UTF-16, as PowerShell writes it. A header cannot contain the bytes, and the network would be blamed.
  if (!/^[\x21-\x7E]+$/.test(token)) throw new TokenFileFailure(`${file} contains something other than a token`);
  return token;
}
