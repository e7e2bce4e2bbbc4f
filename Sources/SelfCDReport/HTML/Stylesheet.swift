import Crypto
import Foundation

/// The look of the pages: system fonts, light and dark, print.
enum Stylesheet {
  /// What a page's content security policy allows: its own sheets by their hashes, its own script by its hash where it has
  /// one, and nothing else at all.
  static func policy(for sheets: [StaticString], script: StaticString? = nil) -> String {
    let hashes = sheets.map(source).joined(separator: " ")
    let scripts = script.map { "script-src \(source($0)); " } ?? ""
    return "default-src 'none'; \(scripts)style-src \(hashes); base-uri 'none'; form-action 'none'"
  }

  /// A literal by its hash.
  private static func source(_ literal: StaticString) -> String {
    "'sha256-\(Data(SHA256.hash(data: Data("\(literal)".utf8))).base64EncodedString())'"
  }

  /// Colours are Okabe and Ito's, which stay apart for colour-blind eyes, darkened or lightened to stand out from
  /// the page; shapes and dashes carry the same meaning.
  static let css: StaticString = """
    :root{color-scheme:light dark;--page:#fdfdfb;--ink:#1d1f21;--mute:#5c6166;--rule:#d9d8d2;--card:#f4f3ee;
    --good:#00664a;--bad:#a63d00;--c0:#005a94;--c1:#b34700;--c2:#00785a;--c3:#a0487f;--c4:#7a6200;--c5:#444b52;--c6:#2b7fb0}
    @media (prefers-color-scheme:dark){:root{--page:#16181a;--ink:#e6e4df;--mute:#a2a6aa;--rule:#393d41;--card:#1f2225;
    --good:#4fc79e;--bad:#ff9a5c;--c0:#6bb8f0;--c1:#ff9a5c;--c2:#4fc79e;--c3:#e39cc6;--c4:#e0c34a;--c5:#b8bec4;--c6:#9fd2f2}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--page);color:var(--ink);font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,
    "Noto Sans","Liberation Sans","DejaVu Sans",sans-serif;overflow-wrap:break-word}
    main,header,footer{max-width:62rem;margin:0 auto;padding:0 1.25rem}
    header{padding-top:3rem}
    p,ul,ol{max-width:42rem}
    h1{font-size:2.1rem;line-height:1.15;letter-spacing:-.02em;margin:0 0 .4rem;text-wrap:balance}
    h2{font-size:1.4rem;line-height:1.25;letter-spacing:-.01em;margin:3.2rem 0 .6rem;padding-top:1rem;border-top:1px solid var(--rule)}
    h3{font-size:1.08rem;margin:2rem 0 .4rem}
    a{color:inherit;text-underline-offset:.2em}
    a:focus-visible,.scroll:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
    .lede{font-size:1.15rem}
    .mute,caption,figcaption,.note{color:var(--mute);font-size:.92rem}
    figure{margin:1.2rem 0}
    figcaption{max-width:42rem;margin-top:.4rem}
    nav ul{list-style:none;padding:0;margin:1rem 0 0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;max-width:none;font-size:.95rem}
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:1rem;margin:1.6rem 0}
    .figures>div{background:var(--card);border-radius:.5rem;padding:1rem 1.2rem}
    .figures p{margin:0}
    .big{font-size:1.9rem;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
    .warn{border-left:.3rem solid var(--bad);padding:.2rem 0 .2rem .9rem}
    .scroll{overflow-x:auto;max-width:100%}
    table{border-collapse:collapse;font-size:.93rem;line-height:1.4;font-variant-numeric:tabular-nums;margin:.4rem 0}
    caption{text-align:left;padding:0 0 .4rem;caption-side:top}
    th,td{padding:.36rem .9rem .36rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    thead th{font-weight:600;vertical-align:bottom}
    tbody th{font-weight:500;min-width:8rem}table{min-width:min(100%,34rem)}
    td.n,th.n{text-align:right}td.n{white-space:nowrap}thead th.n{min-width:5rem}
    tr.key>*{font-weight:650}
    td small{color:var(--mute);font-size:.86em;font-weight:400;white-space:nowrap}
    .good{color:var(--good)}.bad{color:var(--bad)}
    .example{margin:1.4rem 0;break-inside:avoid}
    .prompt{font-weight:600;margin:0 0 .5rem;white-space:pre-wrap}
    .lanes{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.8rem}
    .lane{background:var(--card);border-radius:.5rem;padding:.7rem .9rem}
    .lane h4{margin:0 0 .3rem;font-size:.88rem;font-weight:600;display:flex;justify-content:space-between;gap:.6rem}
    .lane h4 span{color:var(--mute);font-weight:400;white-space:nowrap}
    .lane blockquote,.lane p{margin:0;white-space:pre-wrap;font-size:.93rem;line-height:1.5;max-width:none}
    dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.2rem;font-size:.93rem;margin:.6rem 0}
    dt{color:var(--mute)}dd{margin:0;overflow-wrap:anywhere}
    code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
    footer{margin-top:4rem;padding-bottom:3rem;color:var(--mute);font-size:.9rem}
    svg{display:block;width:100%;max-width:54rem;min-width:36rem;height:auto;font:14px system-ui,-apple-system,"Segoe UI",
    Roboto,"Noto Sans","Liberation Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
    svg .t{fill:var(--ink)}svg .m{fill:var(--mute);font-size:13px}svg .b{font-weight:650}
    svg .halo{stroke:var(--page);stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
    .grid{color:var(--rule)}.axis{color:var(--mute)}
    .s0{color:var(--c0)}.s1{color:var(--c1)}.s2{color:var(--c2)}.s3{color:var(--c3)}.s4{color:var(--c4)}.s5{color:var(--c5)}.s6{color:var(--c6)}
    .solid{fill:currentColor}.hollow{fill:var(--page)}.faint{opacity:.5}
    .narrow{display:none}
    @media screen and (max-width:40rem){.wide{display:none}.narrow{display:block}.narrow svg{min-width:0}}
    @media (max-width:34rem){body{font-size:1rem}h1{font-size:1.7rem}header{padding-top:1.6rem}.big{font-size:1.5rem}
    dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:.5rem}
    table{font-size:.85rem;min-width:0}th,td{padding-right:.6rem}thead th.n{min-width:0}tbody th{min-width:4rem}}
    @media print{:root{color-scheme:light;--page:#fff;--ink:#000;--mute:#444;--rule:#bbb;--card:#fff;--good:#00664a;--bad:#a63d00;
    --c0:#005a94;--c1:#b34700;--c2:#00785a;--c3:#a0487f;--c4:#7a6200;--c5:#444b52;--c6:#2b7fb0}
    @page{margin:16mm 14mm}
    html{font-size:9.5pt}nav{display:none}main,header,footer{max-width:none;padding:0}header{padding-top:0}
    h2{margin-top:1.4rem;padding-top:.6rem}h2,h3,.note,.prompt{break-after:avoid}figure,table,.lane,.figures{break-inside:avoid}
    .scroll{overflow:visible}svg{min-width:0;max-width:14.5cm}th,td{padding-right:.6rem}
    .lane,.figures>div{border:1px solid var(--rule)}.lanes{grid-template-columns:repeat(3,1fr)}}
    """
}
