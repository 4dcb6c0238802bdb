import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:https";

import type { ServingCertificate } from "./certificates.ts";
import { type Serving, serveRequest } from "./request-serving.ts";

/** One TLS listener for all names: routing is by Host header, as every emulated name resolves to it. */
export function createHttpsListener(certificate: ServingCertificate, serving: Serving): Server {
  return createServer({ key: certificate.keyPem, cert: certificate.certificatePem, minVersion: "TLSv1.2" }, (request, response) => {
    serveRequest(request, response, serving).catch(() => response.destroy());
  });
}

/** The metadata service speaks plain HTTP: nobody could have a certificate for its link-local address. */
export function createHttpListener(serving: Serving): HttpServer {
  return createHttpServer((request, response) => {
    serveRequest(request, response, serving).catch(() => response.destroy());
  });
}
