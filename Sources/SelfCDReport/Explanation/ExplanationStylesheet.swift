/// What the pages of explanations add to the common look: tints with marks of their own, words with their effects below.
enum ExplanationStylesheet {
  static let css: StaticString = """
    .question{font-size:1.35rem;line-height:1.4;font-weight:600;margin:1.2rem 0 .2rem;white-space:pre-wrap;max-width:50rem}
    .question.long{font-size:1rem;font-weight:400}
    .views{display:grid;gap:.8rem;margin:1rem 0}
    .view{background:var(--card);border-radius:.5rem;padding:.7rem 1rem .5rem;break-inside:avoid}
    .view h4{margin:0;font-size:.88rem;font-weight:600;display:flex;flex-wrap:wrap;justify-content:space-between;gap:.2rem .6rem}
    .view h4 span{color:var(--mute);font-weight:400}
    .words{margin:.3rem 0 0;max-width:none;line-height:2.7;white-space:pre-wrap;ruby-position:under}
    .words ruby{overflow-wrap:normal}
    .words rt{font-size:.72rem;line-height:1.2;padding-top:.5em;color:var(--mute);font-variant-numeric:tabular-nums;white-space:nowrap}
    .w{padding:.14em .1em .05em;border-radius:.2em .2em 0 0}
    .w[data-e]{position:relative}.w:focus-visible{outline:2px solid var(--ink);outline-offset:1px}
    .w[data-e]:hover::after,.w[data-e]:focus::after{content:attr(data-e);position:absolute;left:0;bottom:calc(100% + .2em);z-index:1;
    background:var(--ink);color:var(--page);font:.78rem/1.3 system-ui,sans-serif;padding:.2em .5em;border-radius:.3em;white-space:nowrap}
    .f{font-weight:700}
    .p1,.p2,.p3,.p4,.p5,.p6,.n1,.n2,.n3,.n4,.n5,.n6,.q1,.q2,.q3,.q4,.q5,.q6{print-color-adjust:exact;-webkit-print-color-adjust:exact}
    .p1{--t:5%}.p2{--t:12%}.p3{--t:20%}.p4{--t:28%}.p5{--t:37%}.p6{--t:46%}
    .n1{--t:5%}.n2{--t:12%}.n3{--t:20%}.n4{--t:28%}.n5{--t:37%}.n6{--t:46%}
    .p1,.p2,.p3,.p4,.p5,.p6{background:color-mix(in srgb,var(--c1) var(--t),transparent)}
    .n1,.n2,.n3,.n4,.n5,.n6{background:color-mix(in srgb,var(--c0) var(--t),transparent)}
    .w.p2,.w.p3{border-bottom:2px solid var(--c1)}.w.p4,.w.p5{border-bottom:3px solid var(--c1)}.w.p6{border-bottom:5px solid var(--c1)}
    .w.n2,.w.n3{border-bottom:2px dotted var(--c0)}.w.n4,.w.n5{border-bottom:3px dotted var(--c0)}.w.n6{border-bottom:5px dotted var(--c0)}
    th.group{text-align:center;border-bottom:0;padding-bottom:0;color:var(--mute);font-weight:500}
    td[class*=" p"],td[class*=" n"],td.n.z{padding-left:.9rem}
    details{margin:1rem 0}summary{cursor:pointer;max-width:42rem}summary:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
    .shrink{list-style:none;padding:0;margin:.8rem 0;max-width:none}
    .shrink li{padding:.25rem 0;border-bottom:1px solid var(--rule);white-space:pre-wrap;display:grid;grid-template-columns:5.5rem minmax(0,1fr);gap:.8rem}
    .shrink li>span:first-child{color:var(--mute);font-size:.88rem;font-variant-numeric:tabular-nums;white-space:nowrap}
    .shrink .gone{color:var(--mute);text-decoration:line-through;text-decoration-thickness:1px}
    .shrink li:last-child{font-weight:650}
    .steps td,.steps th{padding:.4rem 1.2rem .4rem 0}.steps tbody th{min-width:0;color:var(--mute);font-weight:400}
    .steps .cands{display:grid;grid-template-columns:minmax(0,auto) max-content;gap:0 .5rem;font-size:.9rem;line-height:1.45;width:max-content;align-items:center}
    .steps .cands>*{padding:0 .3rem}
    .steps .cands span{text-align:right;color:var(--mute)}
    .steps .got{font-weight:700}
    .steps tr.part>*{border-top:2px solid var(--c1)}
    .tok{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
    .q1{--t:4%}.q2{--t:9%}.q3{--t:15%}.q4{--t:22%}.q5{--t:30%}.q6{--t:38%}
    .q1,.q2,.q3,.q4,.q5,.q6{background:color-mix(in srgb,var(--c5) var(--t),transparent)}
    @media (max-width:34rem){.question{font-size:1.15rem}.shrink li{grid-template-columns:minmax(0,1fr);gap:0}
    .steps th:nth-child(2),.steps td:nth-child(2){display:none}.steps td,.steps th{padding-right:.35rem}
    .steps{table-layout:fixed;width:100%}.steps th:first-child{width:1.6rem;overflow:hidden}
    .steps .cands{font-size:.72rem;gap:0 .1rem;width:auto;grid-template-columns:minmax(0,1fr) max-content}
    .steps .cands>*{padding:0 .1rem}.steps .tok{overflow:hidden;text-overflow:ellipsis}}
    @media print{.view{border:1px solid var(--rule)}.shrink li,.steps tr{break-inside:avoid}.words{line-height:2.2}}
    """
}
