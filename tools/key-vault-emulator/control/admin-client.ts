import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

import type { Emulator } from "../emulator.ts";
import { EmulatorInputError } from "../input-error.ts";
import { type AdminFile, readAdminFile } from "./admin-file.ts";
import type { StateMethods } from "./state-methods.ts";

/** Connects to a running emulator through the file in its state folder. `stop` ends the emulator's process. */
export async function connectEmulator(stateDir: string): Promise<Emulator> {
  const file = await readAdminFile(stateDir);
  return {
    ...remoteMethods((name, input) => callAdmin(file, name, input)),
    proxyUrl: file.proxyUrl,
    caFile: file.caFile,
    adminUrl: file.adminUrl,
    imdsUrl: file.imdsUrl,
    stop: async () => {
      process.kill(file.pid, "SIGTERM");
    },
  };
}

type Call = (name: keyof StateMethods, input: unknown) => Promise<unknown>;

function remoteMethods(call: Call): StateMethods {
  // The peer runs the same code, and answers with the result of the method of that name.
  const forward =
    <Name extends keyof StateMethods>(name: Name) =>
    (input?: Parameters<StateMethods[Name]>[0]) =>
      call(name, input ?? {}) as ReturnType<StateMethods[Name]>;
  return {
    createVault: forward("createVault"),
    setApiVersions: forward("setApiVersions"),
    deleteVault: forward("deleteVault"),
    createServicePrincipal: forward("createServicePrincipal"),
    setClientSecret: forward("setClientSecret"),
    grant: forward("grant"),
    revoke: forward("revoke"),
    setSecret: forward("setSecret"),
    rotateSecret: forward("rotateSecret"),
    setAttributes: forward("setAttributes"),
    disableSecret: forward("disableSecret"),
    enableSecret: forward("enableSecret"),
    deleteSecret: forward("deleteSecret"),
    secretVersions: forward("secretVersions"),
    setTokenLifetime: forward("setTokenLifetime"),
    requests: forward("requests"),
    createKey: forward("createKey"),
    rotateKey: forward("rotateKey"),
    setKeyAttributes: forward("setKeyAttributes"),
    deleteKey: forward("deleteKey"),
    keyVersions: forward("keyVersions"),
    createCertificate: forward("createCertificate"),
    importCertificate: forward("importCertificate"),
    rotateCertificate: forward("rotateCertificate"),
    setCertificateAttributes: forward("setCertificateAttributes"),
    deleteCertificate: forward("deleteCertificate"),
    certificateVersions: forward("certificateVersions"),
    setBudget: forward("setBudget"),
    clearBudget: forward("clearBudget"),
    injectFault: forward("injectFault"),
    clearFaults: forward("clearFaults"),
    trustIssuer: forward("trustIssuer"),
    addTenantDomain: forward("addTenantDomain"),
    addFederatedCredential: forward("addFederatedCredential"),
    removeFederatedCredentials: forward("removeFederatedCredentials"),
    createManagedIdentity: forward("createManagedIdentity"),
    removeManagedIdentity: forward("removeManagedIdentity"),
    addStorageAccount: forward("addStorageAccount"),
    subscribeEvents: forward("subscribeEvents"),
    unsubscribeEvents: forward("unsubscribeEvents"),
    events: forward("events"),
  };
}

const TIMEOUT_MS = 10_000;

/** Uses node:http, which ignores the user's proxy variables. */
async function callAdmin(file: AdminFile, name: string, input: unknown): Promise<unknown> {
  const sent = request(`${file.adminUrl}/${name}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${file.adminToken}` },
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  sent.end(JSON.stringify(input));
  let status: number;
  let body: string;
  try {
    // `once` rejects with the request's "error" event.
    const [response]: IncomingMessage[] = await once(sent, "response");
    status = response?.statusCode ?? 0;
    body = response === undefined ? "null" : await text(response);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown reason";
    throw new EmulatorInputError(`state-dir: the emulator at ${file.adminUrl} does not answer (${why}); start it again`, { cause });
  }
  return outcomeOf(status, body);
}

function outcomeOf(status: number, answer: string): unknown {
  const body: unknown = JSON.parse(answer);
  if (status === 200) return body ?? undefined;
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  throw new EmulatorInputError(typeof error === "string" ? error : `the emulator answered ${status}`);
}
