/**
 * Pushes to an OCI registry over its HTTP API (distribution-spec 1.1). Credentials come from the environment, and are sent after the
 * registry's challenge. The connection to a registry on this machine has no TLS.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { blobFile, type Descriptor, digestOf, EMPTY, INDEX, MANIFEST, REF_NAME } from "./oci-layout.ts";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const TIMEOUT_MS = 600_000;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

const descriptorSchema = z.looseObject({ mediaType: z.string(), digest: z.string(), size: z.number() });
const indexSchema = z.looseObject({ manifests: z.array(descriptorSchema) });
const manifestSchema = z.looseObject({ config: descriptorSchema, layers: z.array(descriptorSchema) });

/** Whether the connection to a registry, `<host>` or `<host>/<prefix>`, has no TLS. */
export function isPlain(place: string): boolean {
  return LOOPBACK.test(place.split("/")[0] ?? "");
}

export class Registry {
  readonly #base: string;
  readonly #prefix: string;
  readonly #credentials: Credentials | undefined;
  /** Authorization headers by repository. */
  readonly #authorization = new Map<string, string>();

  /** `place` is `<host>` or `<host>/<prefix of the repositories>`. */
  constructor(place: string, credentials?: Credentials) {
    const [host = "", ...prefix] = place.split("/");
    this.#base = `${isPlain(place) ? "http" : "https"}://${host}/v2`;
    this.#prefix = prefix.map((part) => `${part}/`).join("");
    this.#credentials = credentials;
  }

  /** Pushes all named manifests of the layout under their names. Skips blobs that the registry already has. */
  async pushLayout(folder: string): Promise<readonly (Descriptor & { readonly repository: string; readonly tag: string })[]> {
    const { manifests } = indexSchema.parse(JSON.parse(readFileSync(path.join(folder, "index.json"), "utf8")));
    const pushed = [];
    for (const { mediaType, digest, size, ...rest } of manifests) {
      const name = (rest["annotations"] as Readonly<Record<string, string>>)[REF_NAME] ?? ""; // `OciLayout.write` names each.
      const [repository = "", tag = ""] = name.split(":");
      await this.#pushManifest(folder, repository, { mediaType, digest, size }, tag);
      pushed.push({ mediaType, digest, size, repository, tag });
    }
    return pushed;
  }

  /** Attaches an artifact to a pushed manifest. Clients find it with the referrers API, or by a tag if the registry lacks this API. */
  async attach(
    repository: string,
    subject: Descriptor,
    content: string,
    attached: { mediaType: string; annotations: Readonly<Record<string, string>> },
  ) {
    const { mediaType, annotations } = attached;
    const layer = { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
    const config = { mediaType: EMPTY, digest: digestOf("{}"), size: 2 };
    await this.#putBlob(repository, layer.digest, Buffer.from(content));
    await this.#putBlob(repository, config.digest, Buffer.from("{}"));
    const { digest, size } = subject;
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, artifactType: mediaType, config, layers: [layer], annotations };
    const text = JSON.stringify({ ...manifest, subject: { mediaType: subject.mediaType, digest, size } });
    const answer = await this.#putManifest(repository, digestOf(text), text, MANIFEST);
    const referrer = { mediaType: MANIFEST, digest: digestOf(text), size: Buffer.byteLength(text), artifactType: mediaType, annotations };
    // A registry with the API confirms it in this header.
    if (answer.headers.get("oci-subject") === null) await this.#addToReferrersTag(repository, digest, referrer);
  }

  async #addToReferrersTag(repository: string, subject: string, referrer: Descriptor): Promise<void> {
    const tag = subject.replace(":", "-");
    const answer = await this.#request(repository, `manifests/${tag}`, { headers: { accept: INDEX } }, [200, 404]);
    const known = answer.status === 404 ? [] : indexSchema.parse(await answer.json()).manifests;
    const manifests = [...known.filter(({ digest }) => digest !== referrer.digest), referrer];
    await this.#putManifest(repository, tag, JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }), INDEX);
  }

  async #pushManifest(folder: string, repository: string, descriptor: Descriptor, reference: string): Promise<void> {
    const text = readFileSync(blobFile(folder, descriptor.digest), "utf8");
    if (descriptor.mediaType === INDEX) {
      for (const each of indexSchema.parse(JSON.parse(text)).manifests) await this.#pushManifest(folder, repository, each, each.digest);
    } else {
      const { config, layers } = manifestSchema.parse(JSON.parse(text));
      for (const { digest } of [config, ...layers]) await this.#putBlob(repository, digest, readFileSync(blobFile(folder, digest)));
    }
    await this.#putManifest(repository, reference, text, descriptor.mediaType);
  }

  async #putManifest(repository: string, reference: string, text: string, mediaType: string): Promise<Response> {
    const answer = await this.#request(
      repository,
      `manifests/${reference}`,
      { method: "PUT", body: text, headers: { "content-type": mediaType } },
      [201],
    );
    const stored = answer.headers.get("docker-content-digest");
    if (stored !== null && stored !== digestOf(text)) throw new Error(`${repository}: the registry stored ${stored} for ${digestOf(text)}`);
    return answer;
  }

  async #putBlob(repository: string, digest: string, content: Buffer): Promise<void> {
    const there = await this.#request(repository, `blobs/${digest}`, { method: "HEAD" }, [200, 404]);
    if (there.status === 200) return;
    const begun = await this.#request(repository, "blobs/uploads/", { method: "POST" }, [202]);
    const address = new URL(begun.headers.get("location") ?? "", begun.url);
    address.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    await this.#send(repository, address.href, { method: "PUT", body: new Uint8Array(content), headers }, [201]);
  }

  #request(repository: string, what: string, init: RequestInit, expected: readonly number[]): Promise<Response> {
    return this.#send(repository, `${this.#base}/${this.#prefix}${repository}/${what}`, init, expected);
  }

  async #send(repository: string, address: string, init: RequestInit, expected: readonly number[]): Promise<Response> {
    const attempt = (): Promise<Response> => {
      const headers = new Headers(init.headers);
      const authorization = this.#authorization.get(repository);
      if (authorization !== undefined) headers.set("authorization", authorization);
      return fetch(address, { ...init, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    };
    let answer = await attempt();
    if (answer.status === 401 && this.#credentials !== undefined) {
      this.#authorization.set(repository, await this.#authorize(repository, answer, this.#credentials));
      answer = await attempt();
    }
    if (expected.includes(answer.status)) return answer;
    const said = (await answer.text()).slice(0, 500);
    throw new Error(`${init.method ?? "GET"} ${new URL(address).pathname}: ${answer.status} ${said}`);
  }

  /** Returns the value of the header for the challenge of a 401. */
  async #authorize(repository: string, answer: Response, { user, password }: Credentials): Promise<string> {
    const challenge = answer.headers.get("www-authenticate") ?? "";
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const realm = /realm="([^"]+)"/.exec(challenge)?.[1];
    if (!/^bearer /i.test(challenge) || realm === undefined) return basic;
    const address = new URL(realm);
    const service = /service="([^"]+)"/.exec(challenge)?.[1];
    if (service !== undefined) address.searchParams.set("service", service);
    address.searchParams.set("scope", `repository:${this.#prefix}${repository}:pull,push`);
    const token = await fetch(address, { headers: { authorization: basic }, signal: AbortSignal.timeout(60_000) });
    if (!token.ok) throw new Error(`${address.host} gave no token for ${repository}: ${token.status}`);
    const given = z.looseObject({ token: z.string().optional(), access_token: z.string().optional() }).parse(await token.json());
    return `Bearer ${given.token ?? given.access_token ?? ""}`;
  }
}
