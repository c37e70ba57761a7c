// SPDX-License-Identifier: GPL-2.0
#pragma once

namespace kio {

/// What lvm2 2.03.16 said of a group of five disks, some of whose volumes are active; `lin` has two
/// segments.
inline constexpr const char* group_report = R"json({"report":[{
 "vg":[
  {"vg_name":"vg", "vg_uuid":"kfTnv7-xOeB-6v82-jduO-6nsR-NJPj-otXZwG", "vg_extent_size":"2048",
   "vg_exported":"", "vg_shared":"", "vg_clustered":""}
 ],
 "pv":[
  {"pv_name":"/dev/nullb0", "pe_start":"2048"},
  {"pv_name":"/dev/nullb1", "pe_start":"2048"},
  {"pv_name":"/dev/nullb2", "pe_start":"2048"},
  {"pv_name":"/dev/nullb3", "pe_start":"2048"},
  {"pv_name":"/dev/nullb4", "pe_start":"2048"}
 ],
 "lv":[
  {"lv_name":"lin", "lv_uuid":"h0clQ0-Kofv-HbYf-w8aA-1ofA-ahHL-1xESVd", "lv_active":"",
   "lv_permissions":"unknown", "lv_layout":"linear", "lv_role":"public", "origin":"",
   "origin_size":"", "lv_merging":"", "lv_health_status":""},
  {"lv_name":"org", "lv_uuid":"KAtfC7-DEcU-9waG-KLwH-FqRK-thTS-bRzKet", "lv_active":"",
   "lv_permissions":"writeable", "lv_layout":"linear",
   "lv_role":"public,origin,thickorigin,multithickorigin", "origin":"", "origin_size":"16384",
   "lv_merging":"", "lv_health_status":""},
  {"lv_name":"pool", "lv_uuid":"FWV3jj-BUqc-Do0P-fDHz-HmWc-tdrQ-h3Xbpa", "lv_active":"active",
   "lv_permissions":"writeable", "lv_layout":"thin,pool", "lv_role":"private", "origin":"",
   "origin_size":"", "lv_merging":"", "lv_health_status":""},
  {"lv_name":"[pool_tdata]", "lv_uuid":"hbuZbr-T5mf-PhP4-Fslt-J0fx-MT8E-PqKCyS",
   "lv_active":"active", "lv_permissions":"writeable", "lv_layout":"linear",
   "lv_role":"private,thin,pool,data", "origin":"", "origin_size":"", "lv_merging":"",
   "lv_health_status":""},
  {"lv_name":"r1", "lv_uuid":"XwmTLc-RVtu-d85k-JfVU-QiLX-UNoN-KlDsnY", "lv_active":"active",
   "lv_permissions":"writeable", "lv_layout":"raid,raid1", "lv_role":"public", "origin":"",
   "origin_size":"", "lv_merging":"", "lv_health_status":""},
  {"lv_name":"[r1_rimage_0]", "lv_uuid":"GGC3o1-N0kx-JOAp-8I9s-kT89-dzYx-S3kiTT",
   "lv_active":"active", "lv_permissions":"writeable", "lv_layout":"linear",
   "lv_role":"private,raid,image", "origin":"", "origin_size":"", "lv_merging":"",
   "lv_health_status":""},
  {"lv_name":"[r1_rimage_1]", "lv_uuid":"mjcck7-fFmA-gPJ1-AIP0-Slaf-fn4O-JOgvb7",
   "lv_active":"active", "lv_permissions":"writeable", "lv_layout":"linear",
   "lv_role":"private,raid,image", "origin":"", "origin_size":"", "lv_merging":"",
   "lv_health_status":""},
  {"lv_name":"ro", "lv_uuid":"CHt2Ld-YwqH-Vjq0-197H-wxYK-Uic4-kkeN4B", "lv_active":"active",
   "lv_permissions":"read-only", "lv_layout":"linear", "lv_role":"public", "origin":"",
   "origin_size":"", "lv_merging":"", "lv_health_status":""},
  {"lv_name":"snap", "lv_uuid":"KUvi5e-uCq7-ixvs-z19t-8Pch-Eh32-Qaq8ib", "lv_active":"",
   "lv_permissions":"writeable", "lv_layout":"linear",
   "lv_role":"public,snapshot,thicksnapshot", "origin":"org", "origin_size":"16384",
   "lv_merging":"", "lv_health_status":""},
  {"lv_name":"snap2", "lv_uuid":"ZSxqYk-nYNi-WeUB-DnaQ-ZdZg-bCHJ-26uAQe", "lv_active":"",
   "lv_permissions":"writeable", "lv_layout":"linear",
   "lv_role":"public,snapshot,thicksnapshot", "origin":"org", "origin_size":"16384",
   "lv_merging":"", "lv_health_status":""},
  {"lv_name":"str-3", "lv_uuid":"Xhy8Mi-2Xpa-Rcrz-EcnD-15Xt-7mtG-py5aIz", "lv_active":"",
   "lv_permissions":"unknown", "lv_layout":"striped", "lv_role":"public", "origin":"",
   "origin_size":"", "lv_merging":"", "lv_health_status":""},
  {"lv_name":"thin", "lv_uuid":"hn7l6f-Cf2v-tNY4-jNIM-pd9e-HYAo-CNya9G", "lv_active":"active",
   "lv_permissions":"writeable", "lv_layout":"thin,sparse", "lv_role":"public", "origin":"",
   "origin_size":"", "lv_merging":"", "lv_health_status":""}
 ],
 "pvseg":[
 ],
 "seg":[
  {"lv_name":"lin", "segtype":"linear", "seg_start":"10240", "seg_size":"8192",
   "stripe_size":"0", "chunk_size":"0", "devices":"/dev/nullb2(7)"},
  {"lv_name":"ro", "segtype":"linear", "seg_start":"0", "seg_size":"2048", "stripe_size":"0",
   "chunk_size":"0", "devices":"/dev/nullb0(24)"},
  {"lv_name":"pool", "segtype":"thin-pool", "seg_start":"0", "seg_size":"16384",
   "stripe_size":"0", "chunk_size":"128", "devices":"pool_tdata(0)"},
  {"lv_name":"[r1_rimage_0]", "segtype":"linear", "seg_start":"0", "seg_size":"8192",
   "stripe_size":"0", "chunk_size":"0", "devices":"/dev/nullb0(36)"},
  {"lv_name":"org", "segtype":"linear", "seg_start":"0", "seg_size":"16384", "stripe_size":"0",
   "chunk_size":"0", "devices":"/dev/nullb0(8)"},
  {"lv_name":"snap", "segtype":"linear", "seg_start":"0", "seg_size":"8192", "stripe_size":"0",
   "chunk_size":"16", "devices":"/dev/nullb0(16)"},
  {"lv_name":"str-3", "segtype":"striped", "seg_start":"0", "seg_size":"18432",
   "stripe_size":"128", "chunk_size":"0",
   "devices":"/dev/nullb0(5),/dev/nullb1(0),/dev/nullb2(0)"},
  {"lv_name":"r1", "segtype":"raid1", "seg_start":"0", "seg_size":"8192", "stripe_size":"0",
   "chunk_size":"0", "devices":"r1_rimage_0(0),r1_rimage_1(0)"},
  {"lv_name":"snap2", "segtype":"linear", "seg_start":"0", "seg_size":"8192", "stripe_size":"0",
   "chunk_size":"128", "devices":"/dev/nullb0(20)"},
  {"lv_name":"lin", "segtype":"linear", "seg_start":"0", "seg_size":"10240", "stripe_size":"0",
   "chunk_size":"0", "devices":"/dev/nullb0(0)"},
  {"lv_name":"[pool_tdata]", "segtype":"linear", "seg_start":"0", "seg_size":"16384",
   "stripe_size":"0", "chunk_size":"0", "devices":"/dev/nullb0(27)"},
  {"lv_name":"thin", "segtype":"thin", "seg_start":"0", "seg_size":"20480", "stripe_size":"0",
   "chunk_size":"0", "devices":""},
  {"lv_name":"[r1_rimage_1]", "segtype":"linear", "seg_start":"0", "seg_size":"8192",
   "stripe_size":"0", "chunk_size":"0", "devices":"/dev/nullb1(4)"}
 ]
}]}
)json";

} // namespace kio
