# SPDX-License-Identifier: Apache-2.0
# Tests of the eBPF programs (BPF_PROG_TEST_RUN, as root). Included by CMakeLists.txt.
foreach(name bpf_forward_test bpf_neighbour_test bpf_traffic_test)
  add_executable(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/bpf)
  target_compile_definitions(${name} PRIVATE ESW_BPF_OBJECT="${CMAKE_BINARY_DIR}/eswitch.bpf.o")
  target_compile_options(${name} PRIVATE -Wno-unused-function) # each uses a part of the fixture
  target_link_libraries(${name} PRIVATE PkgConfig::BPF PkgConfig::CMOCKA Threads::Threads)
  add_dependencies(${name} bpf_eswitch)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS bpf TIMEOUT 120)
endforeach()
