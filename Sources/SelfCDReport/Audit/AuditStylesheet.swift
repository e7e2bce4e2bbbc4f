/// What the labelling page adds to the common look: a reply of a height that keeps the buttons where they are, and buttons
/// within reach of a thumb.
enum AuditStylesheet {
  static let css: StaticString = """
    #guide{max-width:42rem;margin:1rem 0}#guide summary{cursor:pointer}
    #reader h2{font-size:.92rem;color:var(--mute);font-weight:600;border:0;padding:0;margin:1.2rem 0 .3rem}
    #place{margin:.8rem 0 .3rem;font-variant-numeric:tabular-nums}
    progress{width:100%;max-width:42rem;height:.5rem;accent-color:var(--c0)}
    #prompt,#reply{max-width:48rem;white-space:pre-wrap;overflow-wrap:anywhere}
    #reply{background:var(--card);border-radius:.5rem;padding:.8rem 1rem;margin:0;min-height:9rem;line-height:1.5}
    #reply.empty{color:var(--mute);font-style:italic}
    .bar{position:sticky;bottom:0;background:var(--page);padding:.8rem 0;max-width:48rem;border-top:1px solid var(--rule);margin-top:1rem}
    .labels,.moves{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:.5rem}
    .moves{margin-top:.5rem}
    button{font:inherit;font-size:.95rem;line-height:1.2;color:var(--ink);background:var(--card);border:1px solid var(--rule);
    border-radius:.5rem;padding:.7rem .5rem;min-height:2.9rem;cursor:pointer}
    .moves button{color:var(--mute);font-size:.88rem}
    button[aria-pressed=true]{background:var(--c0);border-color:var(--c0);color:var(--page)}
    button:focus-visible,summary:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
    button:disabled{opacity:.45;cursor:default}
    #save.done{color:var(--good);border-color:var(--good);font-weight:650}
    kbd{font:.85em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;border:1px solid currentColor;
    border-radius:.25rem;padding:0 .3em;opacity:.8}
    @media (max-width:34rem){.labels,.moves{grid-template-columns:repeat(2,minmax(0,1fr))}#reply{min-height:7rem}kbd{display:none}
    #guide kbd{display:inline}}
    @media print{.bar,progress{display:none}}
    """
}
