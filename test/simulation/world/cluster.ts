/** The simulated API server, with the released install. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { MANIFESTS, type Manifest, parseManifests } from "../../support/cluster/shipped-manifests.ts";
import type { Admission, ApiRequest, Authorizer, Write } from "../api/interface.ts";
import type { JsonObject } from "../api/json.ts";
import { admissionBy } from "../api/policies.ts";
import { isGranted } from "../api/rights.ts";
import { SimulatedApiServer } from "../api/server.ts";
import type { Message, Party, Reply } from "../network/fabric.ts";
import { EPOCH } from "../time/context.ts";
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";

export const API_HOST = "api.simulated";
const ADMINISTRATOR = "kubernetes-admin";

export interface ClusterOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Default: the installed policies. */
  readonly admit?: Admission;
  readonly authorize?: Authorizer;
  readonly onWrite: (write: Write) => void;
  readonly signToken?: (claims: JsonObject) => string;
}

export interface Json {
  readonly [field: string]: unknown;
}

/** Options of a request. Default: JSON, by the administrator. */
interface Asking {
  readonly contentType?: string;
  readonly user?: string;
}

/** Requests by the world to the API server, immediate and without a network. */
export class Cluster {
  readonly server: SimulatedApiServer;
  readonly #scheduler: ClusterOptions["scheduler"];
  readonly #users = new Map<string, string>();

  constructor({ scheduler, random, admit = admissionBy(), authorize = isGranted, onWrite, signToken }: ClusterOptions) {
    this.#scheduler = scheduler;
    this.server = new SimulatedApiServer({
      now: () => Math.floor(EPOCH + scheduler.now),
      random: () => random.next(),
      later: (milliseconds, action) => {
        const scheduled = scheduler.schedule(milliseconds, action);
        return () => scheduled.cancel();
      },
      authorize,
      admit,
      onWrite,
      ...(signToken === undefined ? {} : { signToken }),
    });
  }

  /** Virtual milliseconds. */
  get now(): number {
    return this.#scheduler.now;
  }

  /** Returns a token that identifies a user from now on. */
  tokenFor(user: string): string {
    const token = `token-of-${user.replaceAll(":", "-")}`;
    this.#users.set(`Bearer ${token}`, user);
    return token;
  }

  /** Refuses the token from now on, like the token of a deleted account. */
  revoke(token: string): void {
    this.#users.delete(`Bearer ${token}`);
  }

  get party(): Party {
    return (message) => this.#answer(message);
  }

  request(method: string, url: string, body?: unknown, { contentType = "application/json", user = ADMINISTRATOR }: Asking = {}): Answered {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request: ApiRequest = { method, url, headers: { "content-type": contentType, accept: "application/json" }, body: text, user };
    const answer = this.server.handle(request);
    if (answer.kind === "watch") throw new Error(`${url} is a watch`);
    // The API server answers in plain text if a path does not exist, such as while a CRD is missing.
    const isJson = answer.headers["content-type"] === "application/json";
    return { status: answer.status, body: isJson ? (JSON.parse(answer.body) as Json) : { message: answer.body } };
  }

  /** Applies manifests as an installer does. */
  apply(objects: readonly Manifest[], manager = "kubectl"): void {
    for (const object of objects) {
      const where = `${pathOf(object)}?fieldManager=${manager}&force=true`;
      const { status, body } = this.request("PATCH", where, object, { contentType: "application/apply-patch+yaml" });
      if (status >= 300) throw new Error(`apply ${object.kind} ${object.metadata.name}: ${status} ${JSON.stringify(body["message"])}`);
    }
  }

  #answer({ method, path: url, headers, body }: Message): Reply {
    const user = this.#users.get(headers["authorization"] ?? "");
    if (user === undefined) return unauthorized();
    const answer = this.server.handle({ method, url, headers, body: body === "" ? undefined : body, user });
    return answer.kind === "watch" ? { kind: "lines", lines: answer.watch } : answer;
  }
}

export interface Answered {
  readonly status: number;
  readonly body: Json;
}

function unauthorized(): Reply {
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Unauthorized",
    reason: "Unauthorized",
    code: 401,
  };
  return { kind: "answer", status: 401, headers: { "content-type": "application/json" }, body: JSON.stringify(status) };
}

/** Cache of manifests, which never change. */
const manifests = new Map<string, readonly Manifest[]>();

/** Returns the rendered release of this checkout. */
export function releaseManifests(file: "crds.yaml" | "keyvault-injector.yaml", version: string): readonly Manifest[] {
  const where = path.join(MANIFESTS, "releases", version, file);
  const known = manifests.get(where) ?? parseManifests(readFileSync(where, "utf8"));
  manifests.set(where, known);
  return known;
}

const PLURALS: Readonly<Record<string, string>> = {
  NetworkPolicy: "networkpolicies",
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  PriorityClass: "priorityclasses",
};

const CLUSTER_SCOPED = new Set([
  "Namespace",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "PriorityClass",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "CSIDriver",
]);

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  const scope = CLUSTER_SCOPED.has(kind) ? "" : `/namespaces/${metadata.namespace ?? "default"}`;
  return `${root}${scope}/${plural}/${metadata.name}`;
}
