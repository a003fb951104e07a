/**
 * Web origins (RFC 6454) of the apps whose pages may send requests to peers. PROTOCOL.md §4.1, §6.1. Pure.
 */

/**
 * An https origin as a browser writes it: lower case, no default port, no path. The last label begins with a letter,
 * because the URL standard reads a name whose last label is a number as an IPv4 address.
 */
const ORIGIN =
  /^https:\/\/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?(?::([1-9]\d{0,4}))?$/
const LOOPBACK = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/
const HTTPS_PORT = 443
const PORT_MAX = 65_535

/** Whether the text is the origin of an https page, exactly as a browser sends it. */
export function isOrigin(text: string): boolean {
  const [found, port] = ORIGIN.exec(text) ?? []
  return found !== undefined && Number(port) !== HTTPS_PORT && !(Number(port) > PORT_MAX)
}

/** Whether a page of this origin came from the machine of the browser. */
export function isLoopbackOrigin(text: string): boolean {
  return LOOPBACK.test(text)
}
