import { isKubeObject, nonEmptyText, valueAt } from "../domain/json-members.ts";
import { parsedJson } from "../domain/json-object.ts";
import { apiVersionOf, type KubeObject, type ObjectRef, RESOURCES, type Resource } from "../domain/kubernetes.ts";
import { type Clock, monotonicClock } from "../domain/ports/clock.ts";
import type {
  ApplyOptions,
  DeleteOptions,
  KubeClient,
  ListRequest,
  PatchOptions,
  ReadResult,
  TokenRequest,
  WriteOptions,
} from "../domain/ports/kube-client.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { Sensitive } from "../domain/sensitive.ts";
import { FairSlots } from "../runtime/fair-slots.ts";
import type { PooledKubeConfig } from "./config.ts";
import { type Attempt, foreignAnswer, noAnswer, parseStatus, refusedBy } from "./errors.ts";
import { listPages, METADATA_OBJECT, PAGE_SIZE, parseObject, withKind } from "./pages.ts";
import { collectionPath, namespaceOf, objectPath, withQuery } from "./paths.ts";
import { type Answer, type Call, createTransport, type Transport, type TransportOptions } from "./transport.ts";

export interface KubeClientOptions extends TransportOptions {
  /** With `logger`: the client logs each request and its duration at debug level. */
  readonly clock?: Clock;
  readonly logger?: Logger;
  /**
   * Number of writes in progress at a time, which namespaces share fairly. Requests that store nothing have a quarter of that number for
   * themselves. The sum is lower than the number of connections, so that reads never wait behind either. Default: no limit.
   */
  readonly writesAtATime?: number;
  /** Objects per page of a list; default 500. */
  readonly pageSize?: number;
}

const MERGE_PATCH = "application/merge-patch+json";
const APPLY_PATCH = "application/apply-patch+yaml";
const JSON_BODY = "application/json";
/** API groups whose objects are questions: a user creates one to get an answer. */
const QUESTIONS = ["authentication.k8s.io", "authorization.k8s.io"];

/** Creates a client that uses the pooled connections of `config`. If the caller's signal aborts, calls reject with the signal's reason. */
export function createKubeClient(
  config: PooledKubeConfig,
  { clock, logger, writesAtATime, pageSize = PAGE_SIZE, ...options }: KubeClientOptions,
): KubeClient {
  const bare = createTransport(config, options);
  const transport = clock === undefined || logger === undefined ? bare : observed(bare, clock, logger);
  const limited = writesAtATime === undefined ? transport : withWriteSlots(transport, writesAtATime);
  return new RawKubeClient(limited, pageSize);
}

class RawKubeClient implements KubeClient {
  readonly #transport: Transport;
  readonly #pageSize: number;

  constructor(transport: Transport, pageSize: number) {
    this.#transport = transport;
    this.#pageSize = pageSize;
  }

  async read<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<T>> {
    return this.#get<T>({ attempt: { verb: "get", resource, ref }, method: "GET", path: objectPath(resource, ref) }, ref, signal);
  }

  async readMetadata(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<KubeObject>> {
    const attempt: Attempt = { verb: "get", resource, ref };
    const call: Call = { attempt, method: "GET", path: objectPath(resource, ref), accept: METADATA_OBJECT };
    const result = await this.#get<KubeObject>(call, ref, signal);
    return result.kind === "found" ? { kind: "found", object: withKind(resource, result.object) } : result;
  }

  async list<T extends KubeObject>(resource: Resource, options: ListRequest<T>, signal: AbortSignal): Promise<readonly T[]> {
    const { keep: keepOf = (object: T): T => object, ...selection } = options;
    const keep = (object: KubeObject): T => keepOf(object as T); // The caller names the type of the kind that it requests.
    return (await listPages(this.#transport, { ...selection, resource, pageSize: this.#pageSize, keep }, signal)).items;
  }

  async create<T extends KubeObject>(resource: Resource, body: T, options: WriteOptions, signal: AbortSignal): Promise<T> {
    const ref = body.metadata;
    const path = withQuery(collectionPath(resource, namespaceOf(resource, ref)), writeQuery(options));
    const attempt: Attempt = { verb: "create", resource, ref };
    const storesNothing = QUESTIONS.includes(resource.group);
    return this.#write({ attempt, method: "POST", path, content: { body: JSON.stringify(body), type: JSON_BODY }, storesNothing }, signal);
  }

  async replace<T extends KubeObject>(resource: Resource, body: T, options: WriteOptions, signal: AbortSignal): Promise<T> {
    const path = withQuery(objectPath(resource, body.metadata), writeQuery(options));
    const attempt: Attempt = { verb: "update", resource, ref: body.metadata };
    return this.#write({ attempt, method: "PUT", path, content: { body: JSON.stringify(body), type: JSON_BODY } }, signal);
  }

  async apply<T extends KubeObject>(resource: Resource, body: T, options: ApplyOptions, signal: AbortSignal): Promise<T> {
    const attempt: Attempt = { verb: "apply", resource, ref: body.metadata };
    const path = objectPath(resource, body.metadata, options.subresource);
    const query = { ...writeQuery(options), force: options.force };
    const text = JSON.stringify({ ...body, apiVersion: apiVersionOf(resource), kind: resource.kind });
    return this.#write({ attempt, method: "PATCH", path: withQuery(path, query), content: { body: text, type: APPLY_PATCH } }, signal);
  }

  // oxlint-disable-next-line eslint/max-params -- the port's own shape.
  async mergePatch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    patch: unknown,
    options: PatchOptions,
    signal: AbortSignal,
  ): Promise<T> {
    const path = withQuery(objectPath(resource, ref), writeQuery(options));
    const attempt: Attempt = { verb: "patch", resource, ref };
    const { isStillDue } = options;
    return this.#write({ attempt, method: "PATCH", path, content: { body: JSON.stringify(patch), type: MERGE_PATCH }, isStillDue }, signal);
  }

  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<boolean> {
    const attempt: Attempt = { verb: "delete", resource, ref };
    const { uid, resourceVersion, dryRun } = options;
    // The preconditions are in the body because the API server ignores them in the query.
    const body = JSON.stringify({
      apiVersion: "v1",
      kind: "DeleteOptions",
      preconditions: { uid, resourceVersion },
      ...(dryRun === true ? { dryRun: ["All"] } : {}),
    });
    const call: Call = { attempt, method: "DELETE", path: objectPath(resource, ref), content: { body, type: JSON_BODY } };
    const answer = await this.#transport.call(call, signal);
    if (answer.status === 404 && isAbsent(answer, ref)) return false;
    accepted(attempt, answer);
    return true;
  }

  async requestToken(account: ObjectRef, request: TokenRequest, signal: AbortSignal): Promise<Sensitive> {
    const attempt: Attempt = { verb: "create", resource: { ...RESOURCES.serviceAccounts, plural: "serviceaccounts/token" }, ref: account };
    const path = objectPath(RESOURCES.serviceAccounts, account, "token");
    const body = tokenRequestBody(request);
    const call: Call = { attempt, method: "POST", path, content: { body, type: JSON_BODY }, storesNothing: true };
    const token = tokenOf(accepted(attempt, await this.#transport.call(call, signal)).body);
    if (token === undefined) throw noAnswer(attempt, "the response contains no token");
    return token;
  }

  async #get<T extends KubeObject>(call: Call, ref: ObjectRef, signal: AbortSignal): Promise<ReadResult<T>> {
    const answer = await this.#transport.call(call, signal);
    if (answer.status === 404 && isAbsent(answer, ref)) return { kind: "absent" };
    if (answer.status === 404 && !refusedBy(call.attempt, answer).isForeign) return { kind: "unserved" };
    return { kind: "found", object: objectOf<T>(call.attempt, answer) };
  }

  async #write<T extends KubeObject>(call: Call, signal: AbortSignal): Promise<T> {
    return objectOf<T>(call.attempt, await this.#transport.call(call, signal));
  }
}

function writeQuery(options: WriteOptions): Readonly<Record<string, string | undefined>> {
  return { fieldManager: options.fieldManager, dryRun: options.dryRun === true ? "All" : undefined };
}

/** The API server names the object in its Status. For a route that does not exist, it responds in plain text or without a name. */
function isAbsent(answer: Answer, ref: ObjectRef): boolean {
  return parseStatus(answer.body)?.details?.name === ref.name;
}

function accepted(attempt: Attempt, answer: Answer): Answer {
  if (answer.status < 200 || answer.status > 299) throw refusedBy(attempt, answer);
  return answer;
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the type of the kind it asked for.
function objectOf<T extends KubeObject>(attempt: Attempt, answer: Answer): T {
  const object = parseObject(accepted(attempt, answer).body);
  if (!isKubeObject<T>(object)) throw foreignAnswer(attempt, "the response is not a Kubernetes object");
  return object;
}

/**
 * Limits concurrent writes. The wait for a slot does not count toward the time limit of a write, so a slow namespace does not make the
 * writes of others fail. Requests that store nothing have slots of their own, because webhooks that slow down writes rarely receive them,
 * and because the caller of a token request counts the wait.
 */
function withWriteSlots(transport: Transport, writesAtATime: number): Transport {
  const writes = new FairSlots(writesAtATime);
  const questions = new FairSlots(Math.ceil(writesAtATime / 4));
  return {
    ...transport,
    call: (call, signal) => {
      if (call.method === "GET") return transport.call(call, signal);
      const slots = call.storesNothing === true ? questions : writes;
      return slots.run(call.attempt.ref?.namespace ?? "", signal, () => transport.call(call, signal));
    },
  };
}

function observed(transport: Transport, clock: Clock, logger: Logger): Transport {
  const stopwatch = monotonicClock(clock);
  return {
    ...transport,
    call: async (call, signal) => {
      const started = stopwatch.now();
      const answer = await transport.call(call, signal);
      const { verb, resource, ref } = call.attempt;
      logger.debug("api request", {
        verb,
        resource: resource.plural,
        ...(ref?.namespace === undefined ? {} : { namespace: ref.namespace }),
        ...(ref?.name === undefined ? {} : { name: ref.name }),
        status: answer.status,
        milliseconds: Math.round(stopwatch.now() - started),
      });
      return answer;
    },
  };
}

function tokenRequestBody({ audience, expirationSeconds }: TokenRequest): string {
  const spec = { audiences: [audience], expirationSeconds };
  return JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
}

/** Returns the token in the response to a TokenRequest, or undefined if the response contains none. Never throws. */
export function tokenOf(body: string): Sensitive | undefined {
  const token = nonEmptyText(valueAt(parsedJson(body), ["status", "token"]));
  return token === undefined ? undefined : Sensitive.ofText(token);
}
