/** The page's one style sheet, with the rules that vega-embed and vega-tooltip would otherwise inject. */
export const PAGE_STYLE = `
:root { --ink: #1f2328; --soft: #57606a; --rule: #d0d7de; --wash: #f6f8fa; --changed: #b34700; --unchanged: #00664b; --same: #0a5c94; --none: #57606a; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.55 'Noto Sans', 'Helvetica Neue', Helvetica, Arial, sans-serif; }
main, header, footer { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 32px; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 4px; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 20px 0 4px; }
p { margin: 6px 0; max-width: 85ch; }
.on { color: var(--soft); font-size: .875rem; max-width: none; overflow-wrap: anywhere; }
nav { margin: 14px 0 0; font-size: .875rem; }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 18px; }
a { color: #0a5c94; }
.box { margin: 22px 0 8px; padding: 16px 20px; border: 1px solid var(--rule); border-left: 5px solid var(--ink); border-radius: 4px; background: var(--wash); }
.box ul { margin: 8px 0 0; padding: 0; list-style: none; font-size: .9375rem; }
.box li { padding: 3px 0 3px 1.6em; text-indent: -1.6em; overflow-wrap: anywhere; }
.box details { margin-top: 10px; }
.box .verdicts { font-size: 1rem; }
.mark { display: inline-block; width: 1.6em; text-indent: 0; font-weight: bold; }
.changed { color: var(--changed); font-weight: 600; }
.same { color: var(--same); font-weight: 600; }
.unchanged { color: var(--unchanged); font-weight: 600; }
.none { color: var(--none); font-weight: 600; }
section { margin: 40px 0; }
figure { margin: 0; }
.plot { overflow-x: auto; margin: 10px 0 6px; padding-bottom: 4px; }
.plot svg { display: block; max-width: 100%; height: auto; }
figcaption { max-width: 95ch; font-size: .9rem; color: var(--ink); overflow-wrap: anywhere; }
.vega-actions { margin-top: 4px; font-size: .8125rem; }
.vega-actions a { margin-right: 14px; }
.table { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: 6px; }
th, td { padding: 4px 14px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid #eaeef2; }
thead th { border-bottom: 1px solid #8c959f; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; white-space: nowrap; }
td { white-space: nowrap; }
td.long { white-space: normal; min-width: 18em; max-width: 34em; }
.table code { white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
code { font: .8125rem/1.4 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
summary { cursor: pointer; }
footer { padding-top: 12px; padding-bottom: 40px; border-top: 1px solid var(--rule); color: var(--soft); font-size: .8125rem; }
#vg-tooltip-element { position: fixed; visibility: hidden; z-index: 1000; max-width: 340px; padding: 7px 9px; border: 1px solid #8c959f; border-radius: 3px; background: #fff; font-size: 12px; line-height: 1.4; box-shadow: 1px 2px 6px rgba(0, 0, 0, .15); pointer-events: none; white-space: pre-line; }
#vg-tooltip-element.visible { visibility: visible; }
#vg-tooltip-element table { font-size: 12px; }
#vg-tooltip-element td { padding: 1px 4px; border: 0; }
#vg-tooltip-element td.key { color: var(--soft); text-align: right; white-space: nowrap; }
@media (max-width: 600px) {
  main, header, footer { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 1.35rem; }
  .box { padding: 12px 14px; }
}
@media print {
  body { font-size: 10.5pt; }
  nav, .vega-actions { display: none; }
  .box { background: none; }
  .plot, .table { overflow: visible; }
  .plot svg { min-width: 0 !important; }
  section, figure, tr { break-inside: avoid; }
}
`;
