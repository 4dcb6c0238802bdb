import assert from "node:assert/strict";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { APPLY_PATCH, type ApiAnswer, type ApiCall, apiRequest, JSON_PATCH, MERGE_PATCH } from "../support/cluster/api-request.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { at } from "../support/cluster/shipped-manifests.ts";

export interface PodAnnotations {
  readonly inject?: string;
  readonly secretProviderClass?: string;
  readonly envFrom?: string;
}

/** Security context that PodSecurity restricted requires of a container. */
export const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

export interface PodFields {
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Additional fields of the only container. */
  readonly container?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Whether the API server stores the object. By default, the request is a dry run. */
  readonly stored?: boolean;
}

export interface SecretFields {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** Path of the pod webhook's configuration. */
export const CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/keyvault-injector";

const revisions = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`;

const secret = (name: string, { labels, annotations, ...rest }: SecretFields): unknown => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, labels, annotations },
  ...rest,
});

export function csiVolume(secretProviderClass: string, driver = "secrets-store.csi.k8s.io"): unknown {
  return { name: secretProviderClass, csi: { driver, readOnly: true, volumeAttributes: { secretProviderClass } } };
}

/** Returns the volumes of these classes, and a container's mounts of them. */
export function mounted(...classes: readonly string[]): Required<Pick<PodFields, "spec" | "container">> {
  const volumeMounts = classes.map((name) => ({ name, mountPath: `/mnt/${name}`, readOnly: true }));
  return { spec: { volumes: classes.map((name) => csiVolume(name)) }, container: { volumeMounts } };
}

/** Requests that the policies judge, one method for each. */
export class PolicyRequests {
  readonly #plane: ControlPlane;
  #serial = 0;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  call(request: ApiCall): Promise<ApiAnswer> {
    return apiRequest(this.#plane, request);
  }

  async namespaceWith(annotations: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `n${++this.#serial}`;
    const answer = await this.call({
      method: "POST",
      path: "/api/v1/namespaces",
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name, annotations } },
    });
    assert.equal(answer.status, 201);
    // In a real cluster, a controller creates this account. Without it, the API server rejects all pods.
    await this.#plane.kubectl(["create", "serviceaccount", "default", "-n", name]);
    return name;
  }

  /** Creates a pod that PodSecurity restricted accepts. */
  createPod(namespace: string, ours: PodAnnotations, fields: PodFields = {}): Promise<ApiAnswer> {
    const opt = Object.entries(ours).map(([name, value]) => [POD_ANNOTATIONS[name as keyof PodAnnotations], value]); // The object's own keys.
    return this.call({
      method: "POST",
      path: `/api/v1/namespaces/${namespace}/pods${fields.stored === true ? "" : "?dryRun=All"}`,
      body: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `pod-${++this.#serial}`, annotations: { ...Object.fromEntries(opt), ...fields.annotations } },
        spec: {
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          containers: [{ name: "app", image: "app", securityContext: RESTRICTED, ...fields.container }],
          ...fields.spec,
        },
      },
    });
  }

  createSecret(namespace: string, name: string, fields: SecretFields, token: string): Promise<ApiAnswer> {
    return this.call({ method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: secret(name, fields), token });
  }

  applySecret(namespace: string, name: string, fields: SecretFields, token: string): Promise<ApiAnswer> {
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=test&force=true`;
    return this.call({ method: "PATCH", path, contentType: APPLY_PATCH, body: secret(name, fields), token });
  }

  mergeSecret(namespace: string, name: string, body: unknown, token: string): Promise<ApiAnswer> {
    return this.call({ method: "PATCH", path: `/api/v1/namespaces/${namespace}/secrets/${name}`, contentType: MERGE_PATCH, body, token });
  }

  deleteSecret(namespace: string, name: string, token: string): Promise<ApiAnswer> {
    return this.call({ method: "DELETE", path: `/api/v1/namespaces/${namespace}/secrets/${name}`, token });
  }

  createRevision(namespace: string, metadata: Readonly<Record<string, unknown>>, token: string): Promise<ApiAnswer> {
    const body = {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: { name: `revision-${++this.#serial}`, ...metadata },
      revision: 1,
      data: { spec: {} },
    };
    return this.call({ method: "POST", path: revisions(namespace), body, token });
  }

  deleteRevision(namespace: string, created: ApiAnswer, token: string): Promise<ApiAnswer> {
    return this.call({ method: "DELETE", path: `${revisions(namespace)}/${String(at(created.body, "metadata", "name"))}`, token });
  }

  /** `where`: a namespace, for its default account, or `namespace/account`. */
  requestToken(where: string, spec: Readonly<Record<string, unknown>>, token: string): Promise<ApiAnswer> {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
    const [namespace = "", account = "default"] = where.split("/");
    return this.call({ method: "POST", path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, body, token });
  }

  patchConfiguration(body: readonly unknown[], token: string): Promise<ApiAnswer> {
    return this.call({ method: "PATCH", path: `${CONFIGURATION}?dryRun=All`, contentType: JSON_PATCH, body, token });
  }
}
