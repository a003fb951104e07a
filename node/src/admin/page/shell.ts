/**
 * What the browser loads: style and script, no word about the node. Nothing comes from anywhere else, and the policy
 * allows nothing but these very texts.
 */
import { createHash } from 'node:crypto'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

const POLICY = [
  "default-src 'none'",
  `style-src '${sourceHash(STYLE)}'`,
  `script-src '${sourceHash(SCRIPT)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const

const SHELL = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Geo Trace salt node</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main aria-busy="true"></main>
<div id="notice" role="status"></div>
<noscript>This page draws itself with a script of its own. Without scripts: geotrace status</noscript>
<script>${SCRIPT}</script>
</body>
</html>
`

export function pageShell(): string {
  return SHELL
}

function sourceHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
