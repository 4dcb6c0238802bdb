import { type ApiServerAccess, apiRequest } from "./api-request.ts";

/** Requests a token like a process in a pod of the ServiceAccount. */
export async function serviceAccountToken(server: ApiServerAccess, namespace: string, account: string): Promise<string> {
  const answer = await apiRequest(server, {
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } },
  });
  const token = (answer.body as { readonly status?: { readonly token?: string } }).status?.token; // The API server's TokenRequest has this form.
  if (token === undefined) throw new Error(`no token for ${namespace}/${account}: ${JSON.stringify(answer.body)}`);
  return token;
}
