import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CLASS_ANNOTATIONS, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { clientEnvironment } from "../../../tools/key-vault-emulator/emulator.ts";
import { trustCluster } from "../../support/cluster/cluster-trust.ts";
import { setWorkerArguments } from "../../support/cluster/worker-arguments.ts";
import { type LineProcess, startLineProcess } from "../../support/processes/line-process.ts";
import {
  type ClassFacts,
  classOf,
  createClass,
  createCredentials,
  find,
  mergePatch,
  type NamespaceOptions,
  opaque,
  type Place,
  type SyncWorld,
  send,
  startSyncWorld,
} from "../../support/worker/sync-world.ts";
import type { DoctorAnswer, DoctorQuestion } from "./doctor-process.ts";
import { startWrongProxies, type WrongProxies } from "./wrong-proxies.ts";

type DoctorProcess = LineProcess<DoctorQuestion, DoctorAnswer>;

/** Value of the object that the classes here use by default. */
export const CANARY = `canary-"${randomUUID()}"\n~?>ü/+`;

export interface Asked extends Partial<DoctorQuestion> {
  readonly by?: DoctorProcess;
}

/** The setup of the `doctor` tests: an install without a worker, classes with its vault, and broken routes to the vault. */
export class DoctoredClasses {
  /** Everything that doctor printed. The tests search it for values. */
  readonly printed: string[] = [];
  readonly clientSecrets: string[] = [];
  readonly #stops: (() => unknown)[] = [];
  #started: Started | undefined;

  async start(): Promise<void> {
    const sync = await startSyncWorld();
    this.#stops.push(() => sync.stop());
    const object = await sync.object(CANARY);
    const issuer = await trustCluster(sync.emulator, sync.plane);
    const proxies = await startWrongProxies();
    this.#stops.push(() => proxies.stop());
    const doctors = startDoctors(sync, proxies);
    this.#stops.push(
      () => doctors.untrusting.stop(),
      () => doctors.doctor.stop(),
    );
    this.#started = { sync, object, issuer, proxies, ...doctors };
  }

  /** Also cleans up after a failed start. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
  }

  get sync(): SyncWorld {
    return this.#running.sync;
  }

  get object(): string {
    return this.#running.object;
  }

  /** Issuer of the cluster's ServiceAccount tokens. */
  get issuer(): string {
    return this.#running.issuer;
  }

  /** A process that trusts only the system's CAs. */
  get untrusting(): DoctorProcess {
    return this.#running.untrusting;
  }

  get silentProxy(): string {
    return this.#running.proxies.silent;
  }

  get wrongProxy(): string {
    return this.#running.proxies.wrong;
  }

  async ask(args: readonly string[], { by = this.#running.doctor, ...question }: Asked = {}): Promise<DoctorAnswer> {
    const answer = await by.ask({ kubeconfig: this.sync.plane.kubeconfigPath, ...question, args });
    this.printed.push(answer.output, ...answer.notes);
    return answer;
  }

  /** Creates a namespace with a class whose object exists in the vault. The namespace grants the identities that classes here use. */
  async aClass(facts: Partial<ClassFacts> = {}, options: NamespaceOptions = {}): Promise<Place> {
    const granting = { accounts: ["app", "nobody"], managedIdentity: true, ...options };
    const place = { namespace: await this.sync.namespace(granting), name: "demo" };
    await createClass(
      this.sync.plane,
      classOf(this.sync, { ...place, objects: [this.object], secretObjects: [opaque("app", this.object)], ...facts }),
    );
    return place;
  }

  async inANamespaceWithCredentials(data: Readonly<Record<string, string>>, facts: Partial<ClassFacts> = {}): Promise<Place> {
    const place = await this.aClass(facts, { credentials: false });
    await createCredentials(this.sync.plane, place.namespace, data);
    return place;
  }

  async anAccount(namespace: string, name: string): Promise<void> {
    await this.sync.plane.kubectl(["create", "serviceaccount", name, "-n", namespace]);
  }

  async anApplication(
    permissions: readonly ("get" | "list" | "keys/get")[] = ["get"],
  ): Promise<{ readonly appId: string; readonly clientSecret: string }> {
    const principal = await this.sync.emulator.createServicePrincipal({
      tenantId: this.sync.tenantId,
      clientSecret: `secret-of-${randomUUID()}`,
    });
    this.clientSecrets.push(principal.clientSecret);
    if (permissions.length > 0)
      await this.sync.emulator.grant({ vault: this.sync.vault, appId: principal.appId, permissions: [...permissions] });
    return principal;
  }

  /** Creates a class with workload identity, whose application does not trust any account yet. */
  async federated(): Promise<Place> {
    const { appId } = await this.anApplication();
    const place = await this.aClass(
      { parameters: { clientID: appId }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "app" } },
      { credentials: false },
    );
    await this.anAccount(place.namespace, "app");
    return place;
  }

  /** Creates a class with an identity binding. */
  async bound(): Promise<Place> {
    const { appId } = await this.anApplication();
    const parameters = { clientID: appId, useAzureTokenProxy: "true" };
    const place = await this.aClass({ parameters, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "app" } }, { credentials: false });
    await this.anAccount(place.namespace, "app");
    return place;
  }

  /** Creates a class with one object, which no other class uses. */
  async ofObject(name: string, entry: Readonly<Record<string, string | number>> = {}): Promise<Place> {
    return this.aClass({ objects: [{ objectName: name, objectType: "secret", ...entry }], secretObjects: [opaque("app", name)] });
  }

  /** Writes the status that the worker would write. No worker runs. */
  async setStatus({ namespace, name }: Place, status: Readonly<Record<string, unknown>>): Promise<void> {
    const resource = `/apis/keyvault-injector.dev/v1alpha1/namespaces/${namespace}/secretproviderclasssyncs`;
    const body = { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", metadata: { name } };
    if ((await find(this.sync.plane, `${resource}/${name}`)) === undefined)
      await send(this.sync.plane, { method: "POST", path: resource, body });
    const synced = {
      type: "Synced",
      status: "True",
      reason: "Synced",
      message: "all is well",
      observedGeneration: 1,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    const whole = { observedGeneration: 1, conditions: [synced], secretsSynced: "1/1", secrets: [], ...status };
    await mergePatch(this.sync.plane, `${resource}/${name}/status`, { status: whole });
  }

  /** Creates the Secret in the form in which the worker writes it, but without a fingerprint, which only the install's key can create. */
  async aSecret(
    { namespace, name }: Place,
    change: { readonly version: string; readonly labels?: object; readonly annotations?: object },
  ): Promise<void> {
    const metadata = {
      name: "app",
      labels: change.labels ?? { [MANAGED_LABEL]: "true" },
      annotations: change.annotations ?? {
        [SECRET_ANNOTATIONS.class]: name,
        [SECRET_ANNOTATIONS.objects]: `secret/${this.object}@${change.version}`,
      },
    };
    const body = { apiVersion: "v1", kind: "Secret", metadata, stringData: { value: CANARY } };
    await send(this.sync.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body });
  }

  async currentVersion(name: string): Promise<string> {
    const versions = await this.sync.emulator.secretVersions({ vault: this.sync.vault, name });
    return versions.at(-1)?.version ?? "";
  }

  setWorkerArguments(args: readonly string[]): Promise<string> {
    return setWorkerArguments(this.sync.plane, args);
  }

  get #running(): Started {
    assert.ok(this.#started !== undefined, "started");
    return this.#started;
  }
}

interface Started {
  readonly sync: SyncWorld;
  readonly object: string;
  readonly issuer: string;
  readonly proxies: WrongProxies;
  readonly doctor: DoctorProcess;
  readonly untrusting: DoctorProcess;
}

function startDoctors({ plane, emulator }: SyncWorld, { certificate }: WrongProxies): Pick<Started, "doctor" | "untrusting"> {
  const trusted = path.join(plane.directory, "trusted.pem");
  writeFileSync(trusted, `${readFileSync(emulator.caFile, "utf8")}\n${certificate}`);
  const environment = {
    ...clientEnvironment(emulator),
    HOME: "/nowhere",
    KUBEBUILDER_ASSETS: process.env["KUBEBUILDER_ASSETS"] ?? "",
  };
  const args = [path.resolve(import.meta.dirname, "./doctor-process.ts")];
  const distrusting = Object.fromEntries(Object.entries(environment).filter(([name]) => name !== "NODE_EXTRA_CA_CERTS"));
  return {
    doctor: startLineProcess({ command: process.execPath, args, environment: { ...environment, NODE_EXTRA_CA_CERTS: trusted } }),
    untrusting: startLineProcess({ command: process.execPath, args, environment: distrusting }),
  };
}

export function credentialsOf({ appId, clientSecret }: { readonly appId: string; readonly clientSecret: string }) {
  return { clientid: appId, clientsecret: clientSecret };
}
