/** Secret data from the same files and secretObject: made by the driver's own code in a Go process, and by ours in this process. */

import type { ObjectFile } from "../../../src/domain/content/object-file.ts";
import type { SecretObject } from "../../../src/domain/kubernetes.ts";
import { buildSecrets } from "../../../src/domain/secret-objects/build.ts";
import { Sensitive } from "../../../src/domain/sensitive.ts";
import { pki } from "../../../src/pki/pki.ts";
import { builtProgram } from "../../e2e/support/binaries.ts";
import { startLineProcess } from "../../support/processes/line-process.ts";
import type { Outcome } from "./listed-rows.ts";

/** Input of both sides. */
export interface SecretDataQuestion {
  readonly object: SecretObject;
  /** Other secretObjects of the class, before this one. */
  readonly before?: readonly SecretObject[];
  /** Contents by path, in the order of the provider's response. */
  readonly files: readonly (readonly [path: string, contents: Uint8Array])[];
}

export interface SecretDataJudge {
  ask(question: SecretDataQuestion): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Printed with the other normalisations: the driver names a file by its mounted path, we by its path in the mount. */
export const MOUNT_NORMALISATION = "normalised in error texts: the folder of the mount: /tmp/mount-<number>/..data/ -> nothing";

interface Answer {
  readonly name?: string;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly target?: string;
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

function partsOf(name: string, type: string, data: Iterable<readonly [string, string]>): Outcome {
  const values = [...data].map(([key, value]) => [`data:${key}`, value]);
  return { kind: "done", parts: { name, type, ...Object.fromEntries(values) } };
}

function outcomeOf({ name = "", type = "", data = {}, error, target = "" }: Answer): Outcome {
  if (error === undefined) return partsOf(name, type, Object.entries(data));
  return { kind: "refused", message: target === "" ? error : error.replaceAll(`${target}/..data/`, "") };
}

/** Starts one process, which answers all questions in their order. */
export async function startSecretDataJudge(): Promise<SecretDataJudge> {
  const judge = startLineProcess<object, Answer>({ command: await builtProgram("secret-data-judge") });
  return {
    ask: async ({ object, files }) => {
      const mounted = files.map(([path, contents]) => ({ path, contents: base64(contents) }));
      return outcomeOf(await judge.ask({ object, files: mounted }));
    },
    stop: () => judge.stop(),
  };
}

function aFile(path: string, contents: Uint8Array): ObjectFile {
  return { path, contents: new Sensitive(contents), objectId: `secret/${path}`, version: "v1", updated: undefined, expires: undefined };
}

/** Our result. */
export function ourSecretData({ object, before = [], files }: SecretDataQuestion): Outcome {
  const mounted = files.map(([path, contents]) => aFile(path, contents));
  const outcome = buildSecrets([...before, object], mounted, pki).at(-1);
  if (outcome === undefined) throw new Error("no outcome for the secretObject");
  if (outcome.kind === "refused") return { kind: "refused", message: outcome.problem.message };
  const { name, type, data } = outcome.secret;
  return partsOf(
    name,
    type,
    [...data].map(([key, value]) => [key, base64(value.reveal())] as const),
  );
}
