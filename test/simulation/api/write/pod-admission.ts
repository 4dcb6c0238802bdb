import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import { forbidden } from "../refusal.ts";
import { keyOf } from "../store/stored.ts";
import { admittedName, nameSuffix, type Writing } from "./context.ts";

const TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Simulates the built-in admission of a new pod: its account with a token, its priority, and its tolerations for lost nodes. */
export function admittedPod(writing: Writing, pod: JsonObject): JsonObject {
  const spec = withTolerations(withPriority(writing, pod, withAccount(writing, pod, objectAt(pod, "spec"))));
  return { ...pod, spec };
}

function withAccount(writing: Writing, pod: JsonObject, spec: JsonObject): JsonObject {
  const name = stringAt(spec, "serviceAccountName") ?? "default";
  const namespace = writing.route.namespace ?? "";
  const account = writing.store.collection("serviceaccounts").get(keyOf(namespace, name));
  if (account === undefined) {
    const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
    throw forbidden({ group: "", kind: "pods" }, admittedName(pod), why);
  }
  const named = { ...spec, serviceAccountName: name, serviceAccount: name };
  const mounts = spec["automountServiceAccountToken"] ?? account.object["automountServiceAccountToken"] ?? true;
  return mounts === true ? withToken(named, `kube-api-access-${nameSuffix(writing.random)}`) : named;
}

function withToken(spec: JsonObject, volume: string): JsonObject {
  const mount = { name: volume, readOnly: true, mountPath: TOKEN_FOLDER };
  const mounted = (container: Json): Json =>
    isObject(container) ? { ...container, volumeMounts: [...listAt(container, "volumeMounts"), mount] } : container;
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
  ];
  return {
    ...spec,
    volumes: [...listAt(spec, "volumes"), { name: volume, projected: { sources, defaultMode: 420 } }],
    containers: listAt(spec, "containers").map(mounted),
    ...(spec["initContainers"] === undefined ? {} : { initContainers: listAt(spec, "initContainers").map(mounted) }),
  };
}

function withPriority(writing: Writing, pod: JsonObject, spec: JsonObject): JsonObject {
  const name = stringAt(spec, "priorityClassName");
  if (name === undefined) return { ...spec, priority: 0, preemptionPolicy: "PreemptLowerPriority" };
  const found = writing.store.collection("priorityclasses.scheduling.k8s.io").get(name);
  if (found === undefined) throw forbidden({ group: "", kind: "pods" }, admittedName(pod), `no PriorityClass with name ${name} was found`);
  return { ...spec, priority: found.object["value"] ?? 0, preemptionPolicy: found.object["preemptionPolicy"] ?? "PreemptLowerPriority" };
}

function withTolerations(spec: JsonObject): JsonObject {
  const tolerations = listAt(spec, "tolerations");
  const added = ["not-ready", "unreachable"].flatMap((state) => {
    const key = `node.kubernetes.io/${state}`;
    const isSaid = tolerations.some((toleration) => isObject(toleration) && [key, undefined].includes(stringAt(toleration, "key")));
    return isSaid ? [] : [{ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }];
  });
  return { ...spec, tolerations: [...tolerations, ...added] };
}
