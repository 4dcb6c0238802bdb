import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:https";

import type { ServingCertificate } from "./certificates.ts";
import { type Serving, serveRequest } from "./request-serving.ts";

/** Creates one TLS listener for all names. All emulated names resolve to it, and it routes by the Host header. */
export function createHttpsListener(certificate: ServingCertificate, serving: Serving): Server {
  return createServer({ key: certificate.keyPem, cert: certificate.certificatePem, minVersion: "TLSv1.2" }, (request, response) => {
    serveRequest(request, response, serving).catch(() => response.destroy());
  });
}

/** Creates the listener of the metadata service, which uses plain HTTP, because no CA issues certificates for its link-local address. */
export function createHttpListener(serving: Serving): HttpServer {
  return createHttpServer((request, response) => {
    serveRequest(request, response, serving).catch(() => response.destroy());
  });
}
